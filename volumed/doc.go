// Package volumed is the storage node's daemon: it does to the node's pools
// and targets what the control plane asks for over rpc, and keeps its exports
// alive when nobody asks for anything.
//
// It knows names, bytes, generations and grants. It knows nothing of tenants,
// of Postgres, of Keystone or of REST, and it never decides: which pool, who
// may attach, what to do after a failure, is said by its callers.
//
// How a change goes: the call's fence is looked at; its work is put in line
// behind other work on the same volume; then the fence is stored in the
// journal, and only then does the work begin. The work belongs to the node, not
// to the call: it goes on when the caller has left, and the caller asks for its
// result by the operation's id. Work of a newer generation ends the work of an
// older one on the same resource.
//
// The invariants, whatever is killed when:
//   - work of a generation older than one seen before is never begun;
//   - two works never change one volume at the same time;
//   - an export is in the journal before an initiator can log in, and is gone
//     from the journal before its session is cut; when Revoke has returned, the
//     initiator has no access, also not after a restart;
//   - an export in the journal comes back by itself: after a reboot, after the
//     target's daemon died, after a failure, without touching the others;
//   - stopping the daemon takes no export away.
//
// Read-only: an initiator has one login on a volume. When one of its
// attachments may write, the login may.
package volumed
