package s3

import (
	"context"
	"errors"
	"io"
	"math/rand/v2"
	"net"
	"net/http"
	"strings"
	"time"

	"github.com/minio/minio-go/v7"
)

// persist repeats a request for as long as the service says only that too much is asked
// of it, or lets the connection go before its answer is whole, and gives up after a
// third of patience. The client itself tries again a few times, within two seconds: a
// backup of thousands of requests would end at the first of them that had bad luck so
// often.
func (d *Driver) persist(ctx context.Context, ask func() error) error {
	most := d.patience() / 3
	end := time.Now().Add(most)
	for pause := most / 100; ; pause = min(2*pause, most/10) {
		err := ask()
		if !passes(err) || time.Now().Add(pause).After(end) {
			return err
		}
		select {
		case <-ctx.Done():
			return err
		case <-time.After(pause/2 + rand.N(pause/2+1)): // those that were refused together do not come together again
		}
	}
}

// passes tells whether an error is one that another try may not meet.
func passes(err error) bool {
	var answer minio.ErrorResponse
	if errors.As(err, &answer) {
		return tooMuch(answer)
	}
	var broken *net.OpError // a reset
	return errors.Is(err, io.ErrUnexpectedEOF) || errors.As(err, &broken) && broken.Op == "read"
}

// tooMuch tells whether a service asks for fewer requests. A mere 503 is none of it:
// that is also what stands before a service that is down says.
func tooMuch(answer minio.ErrorResponse) bool {
	if answer.StatusCode == http.StatusTooManyRequests {
		return true
	}
	for _, code := range []string{"SlowDown", "Throttl", "RequestLimitExceeded", "RequestThrottled", "TooManyRequests"} {
		if strings.HasPrefix(answer.Code, code) {
			return true
		}
	}
	return false
}
