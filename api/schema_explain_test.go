package api

import (
	"strings"
	"testing"
)

// A key that is not allowed is said of the object that has it, whatever was looked
// at before it and after.
func TestWrongKeyIsOfItsObject(t *testing.T) {
	t.Parallel()
	all, err := loadSchemas()
	if err != nil {
		t.Fatal(err)
	}
	for route, c := range map[string][2]string{
		"volumes.create":                    {`{"volume": {"size": 1, "name": "n", "metadata": {"k": "v", "*": "x"}, "description": "d", "availability_zone": "z"}}`, "metadata"},
		"group_types.create":                {`{"group_type": {"name": "n", "group_specs": {"*": "x"}, "description": "d"}}`, "group_specs"},
		"types.create":                      {`{"volume_type": {"name": "n", "extra_specs": {"*": "x"}, "description": "d"}}`, "extra_specs"},
		"volume_actions.set_image_metadata": {`{"os-set_image_metadata": {"metadata": {"*": "x"}}}`, "metadata"},
		"snapshot_metadata.create":          {`{"metadata": {"*": "x"}}`, "metadata"},
	} {
		for range 30 { // the properties are looked at in any order
			_, err := all.check(route, MaxVersion, []byte(c[0]))
			if want := "Invalid input for field/attribute " + c[1] + ". Value: {"; err == nil || !strings.HasPrefix(err.Error(), want) ||
				!strings.Contains(err.Error(), "the key '*' is not allowed: '*' does not match pattern") {
				t.Fatalf("%s: %v, want %s", route, err, want)
			}
		}
	}
}
