package lvm

import "testing"

func TestParseFilling(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]float64{
		"2 112/1024 0/4096 - rw discard_passdown queue_if_no_space - 256 ":    112. / 768,
		"2 600/1024 0/4096 - rw discard_passdown queue_if_no_space - 256 ":    600. / 768,
		"2 768/1024 0/4096 - rw discard_passdown queue_if_no_space - 256 ":    1, // LVM makes no more volumes
		"2 13107/32768 0/4096 - rw discard_passdown queue_if_no_space - 256 ": 13107. / 31744,
		"2 112/1024 2048/4096 - rw discard_passdown queue_if_no_space - 256 ": 0.5,
		"9 1/1024 4096/4096 - out_of_data_space discard_passdown - 256":       1,
	} {
		if got, err := parseFilling(status); err != nil || got != want {
			t.Errorf("%q: got %v, %v; want %v", status, got, err, want)
		}
	}
	for _, broken := range []string{"", "Fail", "1", "1 2/0 3/4 -", "a b/c d/e", "1 2/3"} {
		if got, err := parseFilling(broken); err == nil {
			t.Errorf("%q: got %v", broken, got)
		}
	}
}

// TestFailed has what kernels were seen to say.
func TestFailed(t *testing.T) {
	t.Parallel()
	for status, want := range map[string]bool{
		"Fail":  true,
		"Error": true,
		"1 900/1024 0/1024 - ro discard_passdown error_if_no_space needs_check 256 ": true,
		"1 1024/1024 0/1024 - ro discard_passdown error_if_no_space - 256 ":          true,
		"1 117/1024 1024/1024 - out_of_data_space discard_passdown - 256 ":           false,
		"2 112/1024 0/4096 - rw discard_passdown queue_if_no_space - 256 ":           false,
	} {
		if failed(status) != want {
			t.Errorf("%q: got %v", status, !want)
		}
	}
}

func FuzzParseFilling(f *testing.F) {
	f.Add("2 112/1024 0/4096 - rw discard_passdown queue_if_no_space - 256 ")
	f.Fuzz(func(t *testing.T, status string) {
		if used, err := parseFilling(status); err == nil && (used < 0 || used > 1) {
			t.Errorf("%q: %v", status, used)
		}
	})
}
