package telemetry

import (
	"context"
	"log/slog"
	"maps"
	"runtime"
	"slices"
	"strings"
	"sync/atomic"

	"clinker/internal/fault"
)

// root is the name that every logger's begins with. A logger's name is its
// package's path with dots: clinker.volumed.backend.lvm.
const root = "clinker"

// parts are the loggers that are always told of, whether or not they have a
// level of their own.
var parts = []string{root, root + ".api", root + ".db", root + ".scheduler", root + ".volumed"}

// names are Cinder's words for levels, which its clients send and show.
var names = map[slog.Level]string{
	slog.LevelDebug: "DEBUG", slog.LevelInfo: "INFO", slog.LevelWarn: "WARNING", slog.LevelError: "ERROR",
}

// levels are what this process logs, by prefix of loggers' names; root is
// always among them. The map is never changed, only replaced.
var levels atomic.Pointer[map[string]slog.Level]

func init() { setRoot(slog.LevelInfo) }

func setRoot(level slog.Level) { levels.Store(&map[string]slog.Level{root: level}) }

// SetLevel sets the level of all loggers whose names begin with the prefix; ""
// is all. Cinder's own prefix counts as ours. Invalid when there is no such
// level. May be repeated.
func SetLevel(prefix, level string) error {
	l, err := parseLevel(level)
	if err != nil {
		return err
	}
	for {
		old := levels.Load()
		changed := set(*old, ours(prefix), l)
		if levels.CompareAndSwap(old, &changed) {
			return nil
		}
	}
}

func set(known map[string]slog.Level, prefix string, level slog.Level) map[string]slog.Level {
	changed := maps.Clone(known)
	maps.DeleteFunc(changed, func(name string, _ slog.Level) bool { return strings.HasPrefix(name, prefix) })
	changed[prefix] = level
	return changed
}

// Levels tells the levels of the loggers whose names begin with the prefix.
func Levels(prefix string) map[string]string { return tell(*levels.Load(), ours(prefix)) }

func tell(known map[string]slog.Level, prefix string) map[string]string {
	told := map[string]string{}
	for _, name := range slices.Concat(parts, slices.Collect(maps.Keys(known))) {
		if strings.HasPrefix(name, prefix) {
			told[name] = names[levelOf(known, name)]
		}
	}
	if len(told) == 0 {
		told[prefix] = names[levelOf(known, prefix)]
	}
	return told
}

// Overrides are this process's levels as others can keep them: only what was
// set, with the root's.
func Overrides() map[string]string {
	kept := map[string]string{}
	for name, level := range *levels.Load() {
		kept[name] = names[level]
	}
	return kept
}

// A Change is a SetLevel that a process has not heard of yet.
type Change struct{ Prefix, Level string }

// LevelsOf is Levels of another process, by its overrides and what it is about
// to hear of.
func LevelsOf(overrides map[string]string, changes []Change, prefix string) map[string]string {
	known := map[string]slog.Level{root: slog.LevelInfo}
	for name, text := range overrides {
		if level, err := parseLevel(text); err == nil {
			known[name] = level
		}
	}
	for _, c := range changes {
		if level, err := parseLevel(c.Level); err == nil {
			known = set(known, ours(c.Prefix), level)
		}
	}
	return tell(known, ours(prefix))
}

// CheckLevel gives Invalid, in Cinder's words, when there is no such level.
func CheckLevel(level string) error {
	_, err := parseLevel(level)
	return err
}

// ours makes a logger's prefix of what an operator wrote, who may know only
// Cinder's loggers.
func ours(prefix string) string {
	prefix = strings.TrimRight(strings.ToLower(strings.TrimSpace(prefix)), ".*")
	switch {
	case prefix == "" || prefix == "cinder":
		return root
	case strings.HasPrefix(prefix, "cinder.volume"):
		return root + ".volumed" + strings.TrimPrefix(prefix, "cinder.volume")
	case strings.HasPrefix(prefix, "cinder."):
		return root + strings.TrimPrefix(prefix, "cinder")
	}
	return prefix
}

// parseLevel reads Python's names of levels, in any case.
func parseLevel(text string) (slog.Level, error) {
	switch strings.ToUpper(strings.TrimSpace(text)) {
	case "DEBUG":
		return slog.LevelDebug, nil
	case "INFO":
		return slog.LevelInfo, nil
	case "WARN", "WARNING":
		return slog.LevelWarn, nil
	case "ERROR", "CRITICAL", "FATAL":
		return slog.LevelError, nil
	}
	return 0, fault.New(fault.Invalid, "Invalid input received: %s is not a valid log level.", text)
}

// levelOf is that of the longest prefix.
func levelOf(known map[string]slog.Level, logger string) slog.Level {
	best, level := -1, slog.LevelInfo
	for prefix, l := range known {
		if len(prefix) > best && (strings.HasPrefix(logger, prefix) || prefix == root) {
			best, level = len(prefix), l
		}
	}
	return level
}

// levelHandler drops what is below its logger's level.
type levelHandler struct{ slog.Handler }

func (h levelHandler) Enabled(_ context.Context, level slog.Level) bool {
	for _, l := range *levels.Load() {
		if level >= l {
			return true
		}
	}
	return false
}

// Handle looks for the logger only when loggers differ.
func (h levelHandler) Handle(ctx context.Context, r slog.Record) error {
	known := *levels.Load()
	if len(known) > 1 && r.Level < levelOf(known, loggerOf(r.PC)) {
		return nil
	}
	return h.Handler.Handle(ctx, r)
}

func (h levelHandler) WithAttrs(attrs []slog.Attr) slog.Handler {
	return levelHandler{h.Handler.WithAttrs(attrs)}
}

func (h levelHandler) WithGroup(name string) slog.Handler {
	return levelHandler{h.Handler.WithGroup(name)}
}

// loggerOf makes a logger's name of where in the program a record was made:
// clinker/volumed/backend/lvm.(*group).change is clinker.volumed.backend.lvm.
func loggerOf(pc uintptr) string {
	frame, _ := runtime.CallersFrames([]uintptr{pc}).Next()
	function, _, _ := strings.Cut(frame.Function, "[") // type arguments are paths too
	last := strings.LastIndex(function, "/") + 1
	name, _, _ := strings.Cut(function[last:], ".")
	return strings.ReplaceAll(function[:last]+name, "/", ".")
}
