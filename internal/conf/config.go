package conf

import (
	"fmt"
	"os"
	"path/filepath"

	"clinker/internal/fault"
)

// Config is everything the configuration file says, with defaults filled in.
// It is not changed after Load, so it may be shared between goroutines.
type Config struct {
	Global                // [DEFAULT]: this machine and its log
	API        API        // [DEFAULT]: the REST listener
	Quota      Quota      // [DEFAULT]: quotas of a project without its own
	Scheduler  Scheduler  // [DEFAULT]: placement
	Glance     Glance     // [DEFAULT]: images
	Backup     Backup     // [DEFAULT]: backups
	Database   Database   // [database]
	Keystone   Keystone   // [keystone_authtoken]
	Nova       Nova       // [nova]
	KeyManager KeyManager // [key_manager]
	Barbican   Barbican   // [barbican]
	Policy     Policy     // [oslo_policy]
	Middleware Middleware // [oslo_middleware]
	SSL        SSL        // [ssl]
	Clinker    Clinker    // [clinker]
	Backends   []Backend  // one for each name in enabled_backends, in that order
	Numbers    Numbers    // [DEFAULT]: see Declare
}

// section ties a section of the file to the struct that holds it.
type section struct {
	name string
	into any
}

// sections lists the sections with a fixed name. Several structs may share one.
func (c *Config) sections() []section {
	return []section{
		{"DEFAULT", &c.Global},
		{"DEFAULT", &c.API},
		{"DEFAULT", &c.Quota},
		{"DEFAULT", &c.Scheduler},
		{"DEFAULT", &c.Numbers},
		{"DEFAULT", &c.Glance},
		{"DEFAULT", &c.Backup},
		{"database", &c.Database},
		{"keystone_authtoken", &c.Keystone},
		{"nova", &c.Nova},
		{"key_manager", &c.KeyManager},
		{"barbican", &c.Barbican},
		{"oslo_policy", &c.Policy},
		{"oslo_middleware", &c.Middleware},
		{"ssl", &c.SSL},
		{"clinker", &c.Clinker},
	}
}

// Load reads the file at path. The warnings are for the log of a starting
// process; the error, an Invalid fault for each bad value, means that the
// process must not start. It reads nothing but that file and may be repeated.
func Load(path string) (*Config, []Warning, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, nil, fault.Wrap(err, fault.Invalid, "the configuration file cannot be read (--config names another, clinker conf sample prints one)")
	}
	c, warnings, err := Parse(data)
	if err == nil && !filepath.IsAbs(c.Policy.File) {
		c.Policy.File = filepath.Join(filepath.Dir(path), c.Policy.File)
	}
	return c, warnings, err
}

// Parse reads a configuration from memory, as Load does from a file.
func Parse(data []byte) (*Config, []Warning, error) {
	text, err := readINI(data)
	if err != nil {
		return nil, nil, err
	}
	c := &Config{Numbers: make(Numbers, len(numbers))}
	f := newFiller(text)
	for _, s := range c.sections() {
		f.register(s.name, s.into)
	}
	for _, s := range c.sections() {
		f.fill(s.name, s.into)
	}
	c.fillBackends(f)
	f.reportUnknown()
	if len(f.errs) == 0 {
		f.errs = append(f.errs, c.check()...)
	}
	if err := f.err(); err != nil {
		return nil, f.warnings, err
	}
	return c, f.warnings, nil
}

// Default is the configuration of an empty file.
func Default() *Config {
	c, _, err := Parse(nil)
	if err != nil {
		panic(fmt.Sprintf("conf: the defaults contradict each other: %v", err))
	}
	return c
}
