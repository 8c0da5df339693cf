package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"text/tabwriter"
	"time"

	"clinker/db"
	"clinker/internal/conf"
	"clinker/internal/fault"
	"clinker/internal/pki"
	"clinker/scheduler/reconcile"
	"clinker/volumed/rpc"
)

// exportCommand is for the exports that a database which is new, or older than the
// storage nodes, does not know: of all others the API has attachments.
type exportCommand struct {
	List   exportList   `cmd:"" help:"List exports on storage nodes whose attachments the database does not know."`
	Revoke exportRevoke `cmd:"" help:"Revoke such an export: its host loses the volume at once."`
}

// askNodes bounds how long the nodes may take, all together.
const askNodes = 2 * time.Minute

type exportList struct{}

// Run is kong's.
func (exportList) Run(ctx context.Context, c *commands) error {
	return withStrangers(ctx, c, func(_ context.Context, _ *db.DB, _ *rpc.Clients, strangers []reconcile.Stranger, failed error) error {
		w := tabwriter.NewWriter(os.Stdout, 0, 8, 2, ' ', 0)
		fmt.Fprintln(w, "ATTACHMENT\tVOLUME\tPOOL\tINITIATOR")
		for _, s := range strangers {
			fmt.Fprintf(w, "%s\t%s\t%s\t%s\n", s.AttachmentID, s.VolumeID, s.Pool.Name, s.Initiator)
		}
		return errors.Join(w.Flush(), failed)
	})
}

type exportRevoke struct {
	Attachment string `arg:"" help:"The attachment, as the list has it."`
}

// Run is kong's.
func (r exportRevoke) Run(ctx context.Context, c *commands) error {
	return withStrangers(ctx, c, func(ctx context.Context, d *db.DB, nodes *rpc.Clients, strangers []reconcile.Stranger, failed error) error {
		for _, s := range strangers {
			if s.AttachmentID != r.Attachment {
				continue
			}
			if err := s.Revoke(ctx, nodes); err != nil {
				return err
			}
			fmt.Printf("%s has lost volume %s in %s\n", s.Initiator, s.VolumeID, s.Pool.Name)
			return nil
		}
		known, err := d.AttachmentsEver(ctx, []string{r.Attachment})
		switch {
		case err != nil:
			return err
		case len(known) > 0:
			return fault.New(fault.Conflict, "the database knows the attachment %s: delete it through the API", r.Attachment)
		}
		return errors.Join(fault.New(fault.NotFound, "no storage node exports a volume for an attachment %s", r.Attachment), failed)
	})
}

// withStrangers asks the storage nodes, as a scheduler does, and runs what a subcommand
// is to do with what they tell; failed names those that tell nothing.
func withStrangers(ctx context.Context, c *commands, do func(ctx context.Context, d *db.DB, nodes *rpc.Clients, strangers []reconcile.Stranger, failed error) error) error {
	return withDatabase(ctx, c, func(d *db.DB, cfg *conf.Config) error {
		nodes, err := nodeClients(cfg, pki.Scheduler)
		if err != nil {
			return err
		}
		ctx, cancel := context.WithTimeout(ctx, askNodes)
		defer cancel()
		strangers, failed := reconcile.Strangers(ctx, d, nodes)
		return do(ctx, d, nodes, strangers, failed)
	})
}
