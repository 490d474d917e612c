package main

import (
	"net"
	"strconv"
	"time"

	backworks "github.com/backworks/backworks/native-sdk/go"

	"github.com/backworks/backworks/examples/hl7/er7"
	"github.com/backworks/backworks/examples/hl7/mllp"
)

// config is the plugin's config: block.
type config struct {
	PeerHost       string             `json:"peer_host" default:"127.0.0.1" doc:"IP address of the system that receives messages over MLLP."`
	PeerPort       int                `json:"peer_port" default:"2575" min:"1" max:"65535" doc:"TCP port of that system."`
	ConnectTimeout backworks.Duration `json:"connect_timeout" default:"2s" doc:"Longest wait for a connection."`
	ReplyTimeout   backworks.Duration `json:"reply_timeout" default:"5s" doc:"Longest wait for an acknowledgement."`
	Charset        string             `json:"charset" default:"ASCII" enum:"ASCII,UNICODE UTF-8,8859/1" doc:"Character set of messages without MSH-18."`
	Validate       bool               `json:"validate" default:"true" doc:"Whether invalid messages are refused instead of sent."`
	MessageLimit   int                `json:"message_limit" default:"262144" min:"1024" max:"1048576" doc:"Length of the longest message, in bytes."`
}

func (c *config) charset() er7.Charset { return er7.Charset(c.Charset) }

func (c *config) client() mllp.Options {
	return mllp.Options{
		Address:        net.JoinHostPort(c.PeerHost, strconv.Itoa(c.PeerPort)),
		ConnectTimeout: time.Duration(c.ConnectTimeout),
		ReplyTimeout:   time.Duration(c.ReplyTimeout),
		ReplyLimit:     c.MessageLimit,
	}
}
