package main

import (
	"net/rpc"

	"github.com/hashicorp/go-plugin"
)

type netRPCPlugin struct{}

func (*netRPCPlugin) Server(*plugin.MuxBroker) (any, error) {
	return &netRPCServer{}, nil
}

func (*netRPCPlugin) Client(_ *plugin.MuxBroker, client *rpc.Client) (any, error) {
	return &netRPCClient{client}, nil
}

// Arguments of one call.
type Arguments struct{ Endpoint, Method, Data string }

type netRPCServer struct{}

func (*netRPCServer) Call(arguments Arguments, answer *string) error {
	*answer = processEndpoint(arguments.Endpoint, arguments.Method, arguments.Data)
	return nil
}

type netRPCClient struct{ client *rpc.Client }

func (c *netRPCClient) Call(endpoint, method, data string) (string, error) {
	var answer string
	err := c.client.Call("Plugin.Call", Arguments{endpoint, method, data}, &answer)
	return answer, err
}
