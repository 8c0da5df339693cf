package main

import (
	"fmt"
	"os"
	"strings"
	"text/tabwriter"

	"clinker/api"
)

// routesCommand prints the API's route table.
type routesCommand struct{}

// Run is kong's.
func (routesCommand) Run() error {
	w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
	fmt.Fprintln(w, "OPERATION\tMETHOD\tPATH\tACTION\tSINCE\tSTATUS\tPOLICY")
	for _, r := range api.Routes(nil) {
		fmt.Fprintf(w, "%s\t%s\t/v3%s\t%s\t%s\t%d\t%s\n", r.Name, r.Method, r.Path, r.Action, r.Since, r.Status,
			strings.Join(r.Policy, ", "))
	}
	return w.Flush()
}
