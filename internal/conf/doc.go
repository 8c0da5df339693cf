// Package conf reads Clinker's one configuration file.
//
// The file is a cinder.conf: an INI file with Cinder's own option names, read
// by oslo.config's rules (# and ; start a comment only at the beginning of a
// line, an indented line continues the value above it, $name stands for
// another option's value, $$ for a dollar sign). What Cinder has no name for
// stands in the section [clinker], or beside its siblings when it belongs to a
// storage backend.
//
// Each section is one struct in one file, and its tags are the whole truth
// about an option: ini (its name), default, help, and where they apply choices,
// alias, min, max, old (earlier names that still work) and sample (what to
// print for a default that depends on the machine). The option of a weigher
// alone stands with the weigher, see Number. The sample file, the checks and the
// error sentences all come from these.
//
// Two rules hold. A key that is not known is a Warning with the nearest known
// name, never an error, because an operator brings a file written for Cinder.
// A value that is not understood is an error that names section, key, value
// and what would be accepted, because guessing could cost data.
//
// The package must never log, send anything, or print a Secret.
package conf
