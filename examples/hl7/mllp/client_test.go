package mllp

import (
	"bufio"
	"context"
	"errors"
	"net"
	"testing"
	"time"
)

// peer accepts connections and does with each what the test says.
func peer(t *testing.T, serve func(net.Conn)) string {
	t.Helper()
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = listener.Close() })
	go func() {
		for {
			connection, err := listener.Accept()
			if err != nil {
				return
			}
			serve(connection)
		}
	}()
	return listener.Addr().String()
}

func clientOf(t *testing.T, address string) *Client {
	t.Helper()
	client := NewClient(Options{Address: address, ConnectTimeout: time.Minute, ReplyTimeout: time.Minute, ReplyLimit: 100})
	t.Cleanup(client.Close)
	return client
}

func TestAConnectionThatThePeerClosedIsReplaced(t *testing.T) {
	client := clientOf(t, peer(t, func(connection net.Conn) {
		message, err := ReadFrame(bufio.NewReader(connection), 100)
		if err == nil {
			frame, _ := Frame(message)
			_, _ = connection.Write(frame)
		}
		_ = connection.Close()
	}))
	for _, text := range []string{"first", "second", "third"} {
		reply, err := client.Exchange(context.Background(), []byte(text))
		if err != nil || string(reply) != text {
			t.Fatalf("%s: %q %v", text, reply, err)
		}
		// The end of the connection is on its way.
		for until := time.Now().Add(time.Minute); isIdle(client.connection) && time.Now().Before(until); {
			time.Sleep(time.Millisecond)
		}
	}
}

func TestAfterAFailureThereIsAPause(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	client := clientOf(t, listener.Addr().String())
	_ = listener.Close()
	for attempt := 0; attempt < 2; attempt++ {
		if _, err := client.Exchange(context.Background(), []byte("message")); !errors.Is(err, ErrNotConnected) {
			t.Fatal(err)
		}
	}
	for range [10]int{} {
		client.retryAt = time.Time{}
		_ = client.Connect(context.Background())
	}
	if client.pause != retryMost {
		t.Error(client.pause)
	}
}
