package main

import (
	"context"
	"fmt"
	"os"

	"clinker/internal/conf"
)

// confCommand shows and checks the configuration.
type confCommand struct {
	Sample confSample `cmd:"" help:"Print every option with its default."`
	Check  confCheck  `cmd:"" help:"Read the file and tell what is wrong or has no effect."`
}

type confSample struct{}

// Run is kong's.
func (confSample) Run() error { return conf.Sample(os.Stdout) }

type confCheck struct{}

// Run is kong's.
func (confCheck) Run(_ context.Context, c *commands) error {
	cfg, warnings, err := conf.Load(c.Config)
	for _, w := range warnings {
		fmt.Println(w)
	}
	if err == nil {
		_, err = newPlacer(cfg) // which knows the filters
	}
	switch {
	case err != nil:
		return err
	case len(warnings) > 0:
		fmt.Println(c.Config, "can be used, but for what is said above")
	default:
		fmt.Println(c.Config, "is good")
	}
	return nil
}
