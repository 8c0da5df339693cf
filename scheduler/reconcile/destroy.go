package reconcile

import (
	"fmt"

	"clinker/volumed/rpc"
)

// destroyFence is that of taking remains away. The same remains, found again, are the
// same operation.
func destroyFence(id string, generation int64) rpc.Fence {
	return rpc.Fence{OperationID: fmt.Sprintf("destroy-%s-%d", id, generation), ResourceID: id, Generation: generation}
}

// ended gives why a call failed, or the operation that it began.
func ended(o *rpc.Operation, err error) error {
	if err != nil {
		return err
	}
	return o.Err()
}
