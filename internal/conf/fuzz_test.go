package conf

import (
	"bytes"
	"testing"

	"clinker/internal/fault"
)

// Whatever the file holds, reading it ends in a configuration or in a
// sentence, and the same file gives the same warnings again.
func FuzzParse(f *testing.F) {
	var sample bytes.Buffer
	if err := Sample(&sample); err != nil {
		f.Fatal(err)
	}
	f.Add(sample.Bytes())
	f.Add([]byte(drive))
	f.Add([]byte("[DEFAULT]\nhost = ${my_ip}$$\n  more\n[a.b]\nx:y\n"))
	f.Add([]byte("[database]\nconnection = `ab\n[x\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		c, warnings, err := Parse(data)
		if (c == nil) == (err == nil) {
			t.Fatalf("config %v with error %v", c, err)
		}
		if err != nil && !fault.Is(err, fault.Invalid) {
			t.Fatalf("%v is no Invalid fault", err)
		}
		_, again, _ := Parse(data)
		if len(again) != len(warnings) {
			t.Fatalf("warnings %v, then %v", warnings, again)
		}
	})
}
