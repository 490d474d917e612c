package backworks

import (
	"fmt"
	"os"
	"runtime"
	"strings"
)

// guarded runs code of the plugin. A panic becomes an error with its message, file and line.
func guarded[T any](work func() (T, error)) (result T, err error) {
	defer func() {
		if cause := recover(); cause != nil {
			err = panicked(cause)
		}
	}()
	return work()
}

// panicked must be called by the deferred function that recovered, while the stack is still there.
func panicked(cause any) error {
	text := fmt.Sprint(cause)
	frames, place := panicFrames()
	if place == nil {
		return fmt.Errorf("panic: %s", text)
	}
	// The server logs what the plugin writes to stderr.
	fmt.Fprintf(os.Stderr, "panic: %s\n", text)
	for _, frame := range frames {
		fmt.Fprintf(os.Stderr, "    %s at %s:%d\n", frame.Function, frame.File, frame.Line)
	}
	return fmt.Errorf("panic at %s:%d: %s", place.File, place.Line, text)
}

const ownPackage = "github.com/backworks/backworks/native-sdk/go."

// panicFrames returns the frames from the function that panicked to the method that the SDK called, and the
// innermost of them that is not in the standard library.
func panicFrames() (found []runtime.Frame, place *runtime.Frame) {
	var counters [64]uintptr
	frames := runtime.CallersFrames(counters[:runtime.Callers(0, counters[:])])
	isPast, standard := false, ""
	for more := true; more; {
		var frame runtime.Frame
		frame, more = frames.Next()
		isOther := strings.HasPrefix(frame.Function, "runtime.") || strings.HasPrefix(frame.Function, ownPackage)
		switch {
		case frame.Function == "runtime.gopanic":
			isPast = true
			// Empty when the library was built with -trimpath.
			standard = strings.TrimSuffix(frame.File, "runtime/panic.go")
		case !isPast || (isOther && place == nil):
		case isOther:
			return found, place
		default:
			found = append(found, frame)
			if place == nil && (standard == "" || !strings.HasPrefix(frame.File, standard)) {
				place = &found[len(found)-1]
			}
		}
	}
	return found, place
}
