package conf

import (
	"bufio"
	"fmt"
	"io"
	"strings"
)

// Sample writes a configuration file that lists every option with its help
// and its default, all commented out: loading it gives Default.
func Sample(w io.Writer) error {
	out := bufio.NewWriter(w)
	fmt.Fprintln(out, "# Clinker's configuration. Every option stands here with its default.")
	last := ""
	for _, s := range (&Config{}).sections() {
		if s.name != last {
			fmt.Fprintf(out, "\n[%s]\n", s.name)
			last = s.name
		}
		writeOptions(out, optionsOf(s.into))
	}
	fmt.Fprintln(out, "\n# What every backend has in common. A backend is a section of its own, with these")
	fmt.Fprintln(out, "# options, whose name enabled_backends lists.")
	fmt.Fprintf(out, "[%s]\n", backendDefaults)
	writeOptions(out, optionsOf(&Backend{}))
	return out.Flush()
}

func writeOptions(out *bufio.Writer, options []option) {
	for _, o := range options {
		out.WriteString("\n")
		for _, line := range wrap(o.help, 90) {
			fmt.Fprintf(out, "# %s\n", line)
		}
		if len(o.choices) > 1 {
			fmt.Fprintf(out, "# One of: %s.\n", strings.Join(o.choices, ", "))
		}
		value := o.def
		if o.sample != "" {
			value = o.sample
		}
		fmt.Fprintln(out, strings.TrimSpace("#"+o.name+" = "+value))
	}
}

// wrap breaks a text into lines of at most width bytes where words allow.
func wrap(text string, width int) []string {
	var lines []string
	line := ""
	for _, word := range strings.Fields(text) {
		if line != "" && len(line)+1+len(word) > width {
			lines = append(lines, line)
			line = ""
		}
		line = strings.TrimSpace(line + " " + word)
	}
	return append(lines, line)
}
