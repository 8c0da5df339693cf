package image

import (
	"io/fs"
	"path/filepath"
	"strings"
)

// list names everything below folder, parents first, each ended by a zero byte.
func list(folder string) (string, error) {
	var names strings.Builder
	err := filepath.WalkDir(folder, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name, err := filepath.Rel(folder, path)
		names.WriteString(name + "\x00")
		return err
	})
	return names.String(), err
}
