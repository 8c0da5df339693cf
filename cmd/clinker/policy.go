package main

import (
	"context"
	"fmt"
	"os"
	"strings"

	"clinker/internal/fault"
	"clinker/policy"
)

// policyCommand shows and checks who may do what.
type policyCommand struct {
	List   policyList   `cmd:"" help:"Print the rules in force."`
	Check  policyCheck  `cmd:"" help:"Tell whether somebody with these roles may do something in their own project."`
	Sample policySample `cmd:"" help:"Print a policy.yaml with all defaults, commented out."`
}

type policyList struct{}

// Run is kong's.
func (policyList) Run(ctx context.Context, c *commands) error {
	rules, err := c.policy(ctx)
	if err != nil {
		return err
	}
	for _, r := range rules.Rules() {
		fmt.Printf("%s: %s\n", r.Name, r.Check)
	}
	return nil
}

type policyCheck struct {
	Rule  string   `arg:"" help:"As volume:create."`
	Roles []string `arg:"" help:"The roles of the token."`
}

// Run is kong's.
func (p policyCheck) Run(ctx context.Context, c *commands) error {
	rules, err := c.policy(ctx)
	if err != nil {
		return err
	}
	if !rules.Known(p.Rule) {
		return fault.New(fault.NotFound, "there is no policy rule %s: clinker policy list shows them", p.Rule)
	}
	who := policy.Credentials{UserID: "caller", ProjectID: "own", Roles: p.Roles}
	who.IsAdmin = rules.IsAdmin(who)
	if !rules.Check(p.Rule, who, policy.Own(who)) {
		return fault.New(fault.Forbidden, "%s: refused to %s", p.Rule, strings.Join(p.Roles, ", "))
	}
	fmt.Printf("%s: allowed to %s\n", p.Rule, strings.Join(p.Roles, ", "))
	return nil
}

type policySample struct{}

// Run is kong's.
func (policySample) Run() error { return policy.Sample(os.Stdout) }

func (c *commands) policy(ctx context.Context) (*policy.Enforcer, error) {
	cfg, err := c.load(ctx)
	if err != nil {
		return nil, err
	}
	return newPolicy(ctx, cfg)
}
