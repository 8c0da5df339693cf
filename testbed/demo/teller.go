package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"
)

// teller prints the story: numbered steps with the time since the start, the
// commands under them, and what came of each.
type teller struct {
	w      io.Writer
	begun  time.Time
	steps  int
	bold   string // escape sequences; empty when not on a terminal
	dim    string
	good   string
	bad    string
	normal string
}

// margin is where all but the steps' titles begin.
const margin = "       "

// width is where command lines are broken.
const width = 100

func newTeller(f *os.File) *teller {
	t := &teller{w: f, begun: time.Now()}
	info, err := f.Stat()
	terminal := err == nil && info.Mode()&os.ModeCharDevice != 0
	if terminal && os.Getenv("NO_COLOR") == "" && os.Getenv("TERM") != "dumb" {
		t.bold, t.dim, t.good, t.bad, t.normal = "\x1b[1m", "\x1b[36m", "\x1b[32m", "\x1b[31m", "\x1b[0m"
	}
	return t
}

// clock is the time since the start, as 0:07.
func (t *teller) clock() string {
	s := int(time.Since(t.begun).Seconds())
	return fmt.Sprintf("%2d:%02d", s/60, s%60)
}

// title says what it is about.
func (t *teller) title(text string) { fmt.Fprintf(t.w, "%s%s%s%s\n", margin, t.bold, text, t.normal) }

// step begins the next part of the story.
func (t *teller) step(format string, args ...any) {
	t.steps++
	fmt.Fprintf(t.w, "\n%s  %s%d. %s%s\n", t.clock(), t.bold, t.steps, fmt.Sprintf(format, args...), t.normal)
}

// command shows a command line that is about to be run; prompt tells where.
func (t *teller) command(prompt, line string) {
	for i, part := range wrap(line, width-len(margin)-len(prompt)-1) {
		lead := prompt + " "
		if i > 0 {
			lead = strings.Repeat(" ", len(prompt)+3)
		}
		fmt.Fprintf(t.w, "%s%s%s%s%s\n", margin, t.dim, lead, part, t.normal)
	}
}

// say tells what came of it.
func (t *teller) say(format string, args ...any) {
	for line := range strings.Lines(fmt.Sprintf(format, args...)) {
		fmt.Fprintf(t.w, "%s%s\n", margin, strings.TrimRight(line, "\n"))
	}
}

// check is say for something that has been looked at and is right.
func (t *teller) check(format string, args ...any) {
	fmt.Fprintf(t.w, "%s%sok%s  %s\n", margin, t.good, t.normal, fmt.Sprintf(format, args...))
}

func (t *teller) fail(err error) {
	fmt.Fprintf(t.w, "\n%s  %sfailed%s  %v\n", t.clock(), t.bad, t.normal, err)
}

func (t *teller) end(text string) {
	fmt.Fprintf(t.w, "\n%s  %s%s%s\n", t.clock(), t.bold+t.good, text, t.normal)
}

// wrap breaks a command line between words, with the shell's backslash, but not
// between an option and its value.
func wrap(line string, most int) []string {
	var parts []string
	now, option := "", false
	for word := range strings.SplitSeq(line, " ") {
		value := option && !strings.HasPrefix(word, "-")
		option = strings.HasPrefix(word, "--")
		if now != "" && !value && len(now)+len(word)+longestValue > most {
			parts, now = append(parts, now+` \`), ""
		}
		if now != "" {
			now += " "
		}
		now += word
	}
	return append(parts, now)
}

// longestValue leaves room for an option's value and the backslash.
const longestValue = 12
