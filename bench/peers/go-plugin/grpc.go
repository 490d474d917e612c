package main

import (
	"context"
	"strings"

	"github.com/hashicorp/go-plugin"
	"google.golang.org/grpc"
	"google.golang.org/protobuf/types/known/wrapperspb"
)

// A service of one method, written by hand so that building needs no protoc. The three arguments
// travel as one string, separated by NUL.
const grpcMethod = "/bench.Plugin/Call"

type grpcPlugin struct{ plugin.NetRPCUnsupportedPlugin }

type grpcServer interface {
	Call(context.Context, *wrapperspb.StringValue) (*wrapperspb.StringValue, error)
}

type grpcService struct{}

func (grpcService) Call(_ context.Context, in *wrapperspb.StringValue) (*wrapperspb.StringValue, error) {
	arguments := strings.SplitN(in.Value, "\x00", 3)
	return wrapperspb.String(processEndpoint(arguments[0], arguments[1], arguments[2])), nil
}

func (*grpcPlugin) GRPCServer(_ *plugin.GRPCBroker, server *grpc.Server) error {
	server.RegisterService(&grpc.ServiceDesc{
		ServiceName: "bench.Plugin",
		HandlerType: (*grpcServer)(nil),
		Methods: []grpc.MethodDesc{{
			MethodName: "Call",
			Handler: func(service any, ctx context.Context, decode func(any) error,
				_ grpc.UnaryServerInterceptor) (any, error) {
				in := new(wrapperspb.StringValue)
				if err := decode(in); err != nil {
					return nil, err
				}
				return service.(grpcServer).Call(ctx, in)
			},
		}},
	}, grpcService{})
	return nil
}

func (*grpcPlugin) GRPCClient(_ context.Context, _ *plugin.GRPCBroker, connection *grpc.ClientConn) (any, error) {
	return &grpcClient{connection}, nil
}

type grpcClient struct{ connection *grpc.ClientConn }

func (c *grpcClient) Call(endpoint, method, data string) (string, error) {
	in := wrapperspb.String(strings.Join([]string{endpoint, method, data}, "\x00"))
	out := new(wrapperspb.StringValue)
	err := c.connection.Invoke(context.Background(), grpcMethod, in, out)
	return out.Value, err
}
