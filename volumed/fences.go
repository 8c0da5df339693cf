package volumed

import (
	"regexp"

	"github.com/google/uuid"

	"clinker/internal/fault"
	"clinker/volumed/journal"
	"clinker/volumed/rpc"
)

// sector is what every size must be a multiple of, in bytes: the logical block
// of every target.
const sector = 512

var operationID = regexp.MustCompile(`^[A-Za-z0-9.-]{1,64}$`)

// fenceOf makes the journal's fence of a call's, Invalid when it is none.
func fenceOf(f rpc.Fence, pool string, ends bool) (journal.Fence, error) {
	if err := checkID("resource_id", f.ResourceID); err != nil {
		return journal.Fence{}, err
	}
	if !operationID.MatchString(f.OperationID) {
		return journal.Fence{}, fault.New(fault.Invalid, "operation_id is not 1 to 64 letters, digits, dots and dashes")
	}
	if f.Generation < 1 {
		return journal.Fence{}, fault.New(fault.Invalid, "generation is %d; they begin at 1", f.Generation)
	}
	return journal.Fence{
		Operation:  f.OperationID,
		Resource:   f.ResourceID,
		Generation: f.Generation,
		Pool:       pool,
		Ends:       ends,
	}, nil
}

// checkID wants a UUID in its usual form: ids become names of files, logical
// volumes and targets.
func checkID(field, id string) error {
	if u, err := uuid.Parse(id); err != nil || u.String() != id {
		return fault.New(fault.Invalid, "%s is not a UUID in lower case", field)
	}
	return nil
}

func checkBytes(bytes int64) error {
	if bytes <= 0 || bytes%sector != 0 {
		return fault.New(fault.Invalid, "a size of %d bytes is not a multiple of %d above 0", bytes, sector)
	}
	return nil
}
