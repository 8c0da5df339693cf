package keystone

import (
	"errors"
	"fmt"
	"net/http"

	"clinker/internal/fault"

	"github.com/gophercloud/gophercloud/v2"
)

// unavailable is the fault for everything but Keystone's word that a token is
// no good. The caller learns no more; the log learns the cause.
func unavailable(err error) error {
	if fault.Is(err, fault.Unavailable) {
		return err // that is said already
	}
	return fault.Wrap(withoutBody(err), fault.Unavailable, "The identity service does not answer; try again later.")
}

// explain tells an operator what a refusal of the service user's login comes from.
func explain(cfg Config, err error) error {
	if statusOf(err) != http.StatusUnauthorized {
		return err
	}
	return fmt.Errorf("keystone refuses the service user %s of project %s: its password, project or domains in the configuration are wrong", cfg.Username, cfg.ProjectName)
}

// withoutBody reduces an answer of Keystone to its status, since its text may
// quote the token that was asked about.
func withoutBody(err error) error {
	var again *gophercloud.ErrUnableToReauthenticate
	if errors.As(err, &again) {
		return fmt.Errorf("the service user could not log in again: %w", withoutBody(again.ErrReauth))
	}
	var after *gophercloud.ErrErrorAfterReauthentication
	if errors.As(err, &after) {
		return withoutBody(after.ErrOriginal)
	}
	if code := statusOf(err); code != 0 {
		return fmt.Errorf("keystone answered with status %d", code)
	}
	return err
}

// statusOf is the HTTP status of Keystone's answer, 0 when there was none.
func statusOf(err error) int {
	var wrong gophercloud.ErrUnexpectedResponseCode
	if errors.As(err, &wrong) {
		return wrong.Actual
	}
	return 0
}
