package backworks

import (
	"bytes"
	"context"
	"log/slog"
	"strings"
	"sync"

	"github.com/backworks/backworks/native-sdk/go/internal/link"
)

func init() {
	link.LogToHost = func() func() {
		former := slog.Default()
		slog.SetDefault(slog.New(newLogHandler()))
		return func() { slog.SetDefault(former) }
	}
}

// logHandler writes records to the server's log: the message, then the attributes as key=value. The server
// adds the time and the name of the plugin.
type logHandler struct {
	attributes slog.Handler
	text       *logText
}

// logText is what the handlers of one tree write to, one at a time.
type logText struct {
	sync.Mutex
	bytes.Buffer
}

func newLogHandler() *logHandler {
	text := &logText{}
	options := &slog.HandlerOptions{Level: slog.LevelDebug, ReplaceAttr: withoutHead}
	return &logHandler{slog.NewTextHandler(&text.Buffer, options), text}
}

// withoutHead removes what the server adds, and the message, which comes first and without quotes.
func withoutHead(groups []string, attribute slog.Attr) slog.Attr {
	head := attribute.Key == slog.TimeKey || attribute.Key == slog.LevelKey || attribute.Key == slog.MessageKey
	if len(groups) == 0 && head {
		return slog.Attr{}
	}
	return attribute
}

func (h *logHandler) Enabled(context.Context, slog.Level) bool { return true }

func (h *logHandler) Handle(ctx context.Context, record slog.Record) error {
	h.text.Lock()
	defer h.text.Unlock()
	h.text.Reset()
	if err := h.attributes.Handle(ctx, record); err != nil {
		return err
	}
	line := strings.TrimSpace(record.Message + " " + strings.TrimSpace(h.text.String()))
	link.Current().Log(logLevel(record.Level), line)
	return nil
}

func (h *logHandler) WithAttrs(attributes []slog.Attr) slog.Handler {
	return &logHandler{h.attributes.WithAttrs(attributes), h.text}
}

func (h *logHandler) WithGroup(name string) slog.Handler {
	return &logHandler{h.attributes.WithGroup(name), h.text}
}

// logLevel is a BackworksLogLevel.
func logLevel(level slog.Level) int32 {
	switch {
	case level >= slog.LevelError:
		return 3
	case level >= slog.LevelWarn:
		return 2
	case level >= slog.LevelInfo:
		return 1
	default:
		return 0
	}
}
