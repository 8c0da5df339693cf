package throttle

import (
	"slices"
	"strings"
)

// mounted finds where a cgroup v1 hierarchy with the blkio controller is mounted,
// in the text of /proc/self/mounts (fstab(5)); "" when nowhere.
func mounted(mounts string) string {
	for line := range strings.Lines(mounts) {
		f := strings.Fields(line)
		if len(f) >= 4 && f[2] == "cgroup" && slices.Contains(strings.Split(f[3], ","), "blkio") {
			return unescape.Replace(f[1])
		}
	}
	return ""
}

// unescape undoes what the kernel does to a path there (show_mountinfo's mangle).
var unescape = strings.NewReplacer(`\040`, " ", `\011`, "\t", `\012`, "\n", `\134`, `\`)
