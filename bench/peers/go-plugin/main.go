// The benchmark's plugin behind HashiCorp go-plugin, called from a Go host.
//
//	go-plugin LIBRARY netrpc|grpc PAYLOAD   the host: answers the tasks of bench/scenarios/call.mjs
//	go-plugin LIBRARY serve                 the plugin's process, started by the host
package main

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"os/signal"
	"strings"

	"github.com/hashicorp/go-hclog"
	"github.com/hashicorp/go-plugin"
)

var handshake = plugin.HandshakeConfig{
	ProtocolVersion:  1,
	MagicCookieKey:   "BACKWORKS_BENCH",
	MagicCookieValue: "go-plugin",
}

// protocolVariable tells the plugin's process which protocol the host uses.
const protocolVariable = "BACKWORKS_BENCH_PROTOCOL"

// Each wire protocol is a separate plugin with its own name.
var plugins = map[string]plugin.Plugin{
	"netrpc": &netRPCPlugin{},
	"grpc":   &grpcPlugin{},
}

// caller makes one call of process_endpoint.
type caller interface {
	Call(endpoint, method, data string) (string, error)
}

func main() {
	if len(os.Args) < 3 {
		fail(fmt.Errorf("usage: %s LIBRARY netrpc|grpc PAYLOAD", os.Args[0]))
	}
	library, mode := os.Args[1], os.Args[2]
	if mode == "serve" {
		if err := openLibrary(library); err != nil {
			fail(err)
		}
		plugin.Serve(serveConfig(os.Getenv(protocolVariable)))
		return
	}
	// Ctrl-C reaches every process of a terminal. This process exits at the end of its input, and the plugin with it.
	signal.Ignore(os.Interrupt)
	if err := host(library, mode, os.Args[3:]); err != nil {
		fail(err)
	}
}

func serveConfig(protocol string) *plugin.ServeConfig {
	config := &plugin.ServeConfig{
		HandshakeConfig: handshake,
		Plugins:         plugin.PluginSet{protocol: plugins[protocol]},
		Logger:          hclog.NewNullLogger(),
	}
	if protocol == "grpc" {
		config.GRPCServer = plugin.DefaultGRPCServer
	}
	return config
}

func host(library, protocol string, arguments []string) error {
	var p payload
	if err := json.Unmarshal([]byte(strings.Join(arguments, "")), &p); err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return err
	}
	command := exec.Command(self, library, "serve")
	command.Env = append(os.Environ(), protocolVariable+"="+protocol)
	client := plugin.NewClient(&plugin.ClientConfig{
		HandshakeConfig:  handshake,
		Plugins:          plugin.PluginSet{protocol: plugins[protocol]},
		Cmd:              command,
		AllowedProtocols: []plugin.Protocol{plugin.ProtocolNetRPC, plugin.ProtocolGRPC},
		Logger:           hclog.NewNullLogger(),
	})
	defer client.Kill()
	connection, err := client.Client()
	if err != nil {
		return err
	}
	dispensed, err := connection.Dispense(protocol)
	if err != nil {
		return err
	}
	return answerTasks(dispensed.(caller), p)
}

func fail(err error) {
	fmt.Fprintln(os.Stderr, err)
	os.Exit(1)
}
