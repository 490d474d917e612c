package mllp

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"time"
)

// ErrNotConnected is in the chain of an error of [Client.Exchange] when nothing was sent.
var ErrNotConnected = errors.New("the peer is not connected")

// ErrNoReply is in the chain when the message was sent, and no whole reply came in time.
var ErrNoReply = errors.New("the peer did not answer in time")

// ErrClosed is in the chain when the peer closed the connection before its reply was complete.
var ErrClosed = errors.New("the peer closed the connection before it answered")

const (
	retryFirst = 100 * time.Millisecond
	retryMost  = 2 * time.Second
)

// Options of a client.
type Options struct {
	// Address is HOST:PORT.
	Address string
	// ConnectTimeout and ReplyTimeout are upper limits; the context of a call may end earlier.
	ConnectTimeout, ReplyTimeout time.Duration
	// ReplyLimit is the length of the longest reply, in bytes.
	ReplyLimit int
}

// Client keeps one connection to a peer, and opens a new one when it is needed. One goroutine may use it at a time.
type Client struct {
	options    Options
	connection net.Conn
	reader     *bufio.Reader
	// After a failed attempt there is none until retryAt. The pause doubles with each failure in a row.
	retryAt time.Time
	pause   time.Duration
	failure error
}

// NewClient makes a client without connecting.
func NewClient(options Options) *Client { return &Client{options: options} }

// Exchange sends a message and returns the reply. After an error, the connection is closed, so that a late reply is
// never taken for that to another message. A message is sent once: when ErrNoReply or ErrClosed is in the chain of the
// error, the peer may have processed it.
func (c *Client) Exchange(ctx context.Context, message []byte) ([]byte, error) {
	frame, err := Frame(message)
	if err != nil {
		return nil, err
	}
	if err := c.Connect(ctx); err != nil {
		return nil, err
	}
	reply, err := c.exchange(ctx, frame)
	if err != nil {
		c.Close()
	}
	return reply, err
}

func (c *Client) exchange(ctx context.Context, frame []byte) ([]byte, error) {
	if err := c.connection.SetDeadline(earlier(ctx, c.options.ReplyTimeout)); err != nil {
		return nil, err
	}
	if _, err := c.connection.Write(frame); err != nil {
		return nil, named(err)
	}
	reply, err := ReadFrame(c.reader, c.options.ReplyLimit)
	if err != nil {
		return nil, named(err)
	}
	return reply, nil
}

// named gives the errors of a socket the names of this package.
func named(err error) error {
	var frame *FrameError
	switch {
	case errors.As(err, &frame):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return ErrNoReply
	case errors.Is(err, io.EOF):
		return ErrClosed
	default:
		return fmt.Errorf("%w: %w", ErrClosed, err)
	}
}

// Connect opens a connection unless there is one that the peer left open.
func (c *Client) Connect(ctx context.Context) error {
	if c.connection != nil && c.reader.Buffered() == 0 && isIdle(c.connection) {
		return nil
	}
	c.Close()
	if wait := time.Until(c.retryAt); wait > 0 {
		return fmt.Errorf("%w: the next attempt is in %d ms: %w", ErrNotConnected, wait.Milliseconds()+1, c.failure)
	}
	dialer := net.Dialer{Deadline: earlier(ctx, c.options.ConnectTimeout)}
	connection, err := dialer.DialContext(ctx, "tcp", c.options.Address)
	if err != nil {
		c.failure = err
		c.pause = min(max(2*c.pause, retryFirst), retryMost)
		c.retryAt = time.Now().Add(c.pause)
		return fmt.Errorf("%w: %w", ErrNotConnected, err)
	}
	c.connection, c.reader = connection, bufio.NewReader(connection)
	c.pause, c.failure = 0, nil
	return nil
}

// Failure is why the last attempt to connect failed; nil when it succeeded or there was none.
func (c *Client) Failure() error { return c.failure }

// Close closes the connection, if there is one.
func (c *Client) Close() {
	if c.connection != nil {
		_ = c.connection.Close()
		c.connection, c.reader = nil, nil
	}
}

// earlier is the end of the timeout, or shortly before the end of the context: the caller has to answer, too.
func earlier(ctx context.Context, timeout time.Duration) time.Time {
	end := time.Now().Add(timeout)
	if deadline, ok := ctx.Deadline(); ok {
		left := time.Until(deadline)
		if last := deadline.Add(-min(left/4, 500*time.Millisecond)); last.Before(end) {
			return last
		}
	}
	return end
}
