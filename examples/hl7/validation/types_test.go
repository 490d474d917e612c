package validation

import "testing"

func TestFormsOfDataTypes(t *testing.T) {
	for kind, texts := range map[dataType]struct{ right, wrong []string }{
		number:   {[]string{"", "0", "-1.5", "+7", ".5", "5."}, []string{".", "1e5", "1,5", " 1", "0x1"}},
		sequence: {[]string{"1", "9999"}, []string{"-1", "10000", "1.0"}},
		date:     {[]string{"2024", "202402", "20240229"}, []string{"20230229", "20241301", "2024-02-29", "20240", "202402291200"}},
		clock:    {[]string{"12", "2359", "235959.1234+0100"}, []string{"24", "1", "1260", "12+9900", "12.5"}},
		instant: {
			[]string{"2024", "20240229235959", "20240229235959.9999-0500", "202402+0000", `""`},
			[]string{"20240230", "2024022924", "20240229235959.", "20240229235959.12345", "20240229T12"},
		},
	} {
		for _, text := range texts.right {
			if _, ok := kind.fits(text); !ok {
				t.Errorf("%s refuses %q", kind, text)
			}
		}
		for _, text := range texts.wrong {
			if _, ok := kind.fits(text); ok {
				t.Errorf("%s accepts %q", kind, text)
			}
		}
	}
}
