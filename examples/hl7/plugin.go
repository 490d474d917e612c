// The plugin hl7 reads, writes and checks HL7 version 2 messages, and sends them to a system over MLLP.
package main

import (
	"context"
	"strings"
	"time"

	backworks "github.com/backworks/backworks/native-sdk/go"

	"github.com/backworks/backworks/examples/hl7/mllp"
)

type plugin struct {
	backworks.Configured[config]
	client *mllp.Client
}

func (p *plugin) Info() backworks.Info {
	return backworks.Info{
		Name: "hl7", Version: "1.0.0", Description: "HL7 version 2 messages: read, write, check, and send over MLLP.",
	}
}

// Initialize does not connect: the server starts when the peer is away.
func (p *plugin) Initialize(context.Context) error {
	p.client = mllp.NewClient(p.Config().client())
	return nil
}

func (p *plugin) Shutdown(context.Context) error {
	p.client.Close()
	return nil
}

// HealthCheck tries again to connect after a failure, so that the plugin is healthy soon after the peer is back.
func (p *plugin) HealthCheck(ctx context.Context) backworks.Health {
	if p.client.Failure() == nil {
		return backworks.Healthy
	}
	ctx, cancel := context.WithTimeout(ctx, 500*time.Millisecond)
	defer cancel()
	if err := p.client.Connect(ctx); err != nil {
		return backworks.Degraded(err.Error())
	}
	return backworks.Healthy
}

// ProcessEndpoint serves the path /messages/ACTION.
func (p *plugin) ProcessEndpoint(ctx context.Context, request *backworks.Request) (*backworks.Reply, error) {
	switch request.Path[strings.LastIndexByte(request.Path, '/')+1:] {
	case "parse":
		return p.parse(request), nil
	case "build":
		return p.build(request), nil
	case "validate":
		return p.validate(request), nil
	case "acknowledge":
		return p.acknowledge(request), nil
	case "send":
		return p.send(ctx, request), nil
	}
	return nil, nil
}

func init() { backworks.Register(&plugin{}) }

func main() {}
