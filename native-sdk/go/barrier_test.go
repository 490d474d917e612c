package backworks_test

import (
	"errors"
	"regexp"
	"strings"
	"testing"

	backworks "github.com/backworks/backworks/native-sdk/go"
)

func TestPanicsBecomeErrorsWithTheirPlace(t *testing.T) {
	var missing *backworks.Remote
	for want, work := range map[string]func(){
		"boom":                  func() { panic(errors.New("boom")) },
		"nil pointer":           func() { missing.Port++ },
		"negative Repeat count": func() { _ = strings.Repeat("x", -1) },
		"in the SDK":            func() { backworks.Panic("in the SDK") },
	} {
		err := backworks.Guarded(work)
		place := regexp.MustCompile(`^panic at .*/barrier_test\.go:\d+: .*` + want)
		if err == nil || !place.MatchString(err.Error()) {
			t.Errorf("%v is not %s", err, place)
		}
	}
}
