package mllp

import (
	"errors"
	"net"
	"syscall"
	"time"
)

// isIdle is false when the peer closed the connection, or sent something that nobody asked for. It does not wait. A read
// with a short deadline would not do: when the deadline passes before the read begins, Go does not look at the socket.
func isIdle(connection net.Conn) bool {
	socket, ok := connection.(syscall.Conn)
	if !ok || connection.SetDeadline(time.Time{}) != nil {
		return false
	}
	raw, err := socket.SyscallConn()
	if err != nil {
		return false
	}
	var failure error
	err = raw.Read(func(descriptor uintptr) bool {
		// The sockets of Go do not block. A byte that is read here is of no use: the connection will be closed.
		_, failure = syscall.Read(int(descriptor), make([]byte, 1))
		return true
	})
	return err == nil && errors.Is(failure, syscall.EAGAIN)
}
