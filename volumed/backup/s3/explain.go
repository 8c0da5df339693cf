package s3

import (
	"context"
	"crypto/tls"
	"errors"
	"net/http"
	"strings"

	"github.com/minio/minio-go/v7"

	"clinker/internal/fault"
)

// explain makes a fault of what the service answered, with what an operator has to
// look at.
func (d *Driver) explain(ctx context.Context, err error) error {
	var known *fault.Fault
	var certificate *tls.CertificateVerificationError
	answer := minio.ToErrorResponse(err)
	switch {
	case err == nil, errors.As(err, &known):
		return err
	case ctx.Err() != nil:
		return fault.Wrap(ctx.Err(), fault.Timeout, "the backup store was not waited for any longer")
	case answer.Code == minio.NoSuchKey, answer.Code == "" && answer.StatusCode == http.StatusNotFound:
		return fault.Wrap(err, fault.NotFound, "there is no such object in the backup store")
	case answer.Code == minio.NoSuchBucket:
		return fault.Wrap(err, fault.Unavailable, "the backup store has no bucket %s any more", d.Bucket)
	case answer.StatusCode == http.StatusPreconditionFailed:
		return fault.Wrap(err, fault.Conflict, "there is such an object in the backup store already")
	case answer.StatusCode == http.StatusForbidden, answer.StatusCode == http.StatusUnauthorized, strings.HasPrefix(answer.Code, "ExpiredToken"):
		return fault.Wrap(err, fault.Forbidden, "the backup store refuses this storage node: %s", answer.Code)
	case answer.StatusCode == http.StatusInsufficientStorage:
		return fault.Wrap(err, fault.NoSpace, "the backup store is full")
	case tooMuch(answer):
		return fault.Wrap(err, fault.Unavailable, "the backup store asks for fewer requests: %s", answer.Code)
	case errors.As(err, &certificate):
		return fault.Wrap(err, fault.Unavailable, "the backup store shows a certificate that this storage node does not believe")
	}
	return fault.Wrap(err, fault.Unavailable, "the backup store does not answer, or not as it should")
}
