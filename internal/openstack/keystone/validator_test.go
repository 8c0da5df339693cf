package keystone

import (
	"context"
	"fmt"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"clinker/internal/fault"

	"github.com/stretchr/testify/assert"
	"github.com/stretchr/testify/require"
)

func TestIdentityFromKeystone(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.give("tok", time.Hour, "admin", "reader")
	id, err := newValidator(t, f).Authenticate(t.Context(), "tok", "")
	require.NoError(t, err)
	assert.Equal(t, "u-tok", id.UserID)
	assert.Equal(t, "tok", id.UserName)
	assert.Equal(t, "default", id.UserDomainID)
	assert.Equal(t, "p1", id.ProjectID)
	assert.Equal(t, "one", id.ProjectName)
	assert.Equal(t, "default", id.ProjectDomainID)
	assert.Equal(t, []string{"admin", "reader"}, id.Roles)
	assert.True(t, id.IsAdmin)
	assert.WithinDuration(t, time.Now().Add(time.Hour), id.ExpiresAt, time.Minute)
}

func TestDomainScope(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.domain = "d1"
	f.give("tok", time.Hour, "admin")
	id, err := newValidator(t, f).Authenticate(t.Context(), "tok", "")
	require.NoError(t, err)
	assert.Equal(t, "d1", id.DomainID)
	assert.Empty(t, id.ProjectID)
	assert.True(t, id.NotAdminProject)
}

func TestAnswerIsKept300Seconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.give("tok", time.Hour)
		v := newValidator(t, f, func(c *Config) { c.CacheTime = time.Hour })
		for range 3 {
			_, err := v.Authenticate(t.Context(), "tok", "")
			require.NoError(t, err)
			time.Sleep(99 * time.Second)
		}
		assert.Equal(t, 1, f.timesAsked("tok"))
		time.Sleep(3 * time.Second)
		_, err := v.Authenticate(t.Context(), "tok", "")
		require.NoError(t, err)
		assert.Equal(t, 2, f.timesAsked("tok"), "300 seconds is the most, whatever is configured")
		assert.Equal(t, 1, f.logins)
	})
}

func TestNothingIsKept(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.give("tok", time.Hour)
	v := newValidator(t, f, func(c *Config) { c.CacheTime = -time.Second })
	for range 2 {
		_, err := v.Authenticate(t.Context(), "tok", "")
		require.NoError(t, err)
		_, err = v.Authenticate(t.Context(), "unknown", "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	}
	assert.Equal(t, 2, f.timesAsked("tok"), "token_cache_time = -1 asks every time")
	assert.Equal(t, 2, f.timesAsked("unknown"))
}

func TestAnswerIsNotKeptPastExpiry(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.give("tok", 20*time.Second)
		v := newValidator(t, f)
		_, err := v.Authenticate(t.Context(), "tok", "")
		require.NoError(t, err)
		time.Sleep(20 * time.Second)
		_, err = v.Authenticate(t.Context(), "tok", "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
		assert.Equal(t, 2, f.timesAsked("tok"))
	})
}

func TestRefusalIsKeptTenSeconds(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		v := newValidator(t, f)
		for range 3 {
			_, err := v.Authenticate(t.Context(), "unknown", "")
			assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
			assert.NotContains(t, err.Error(), "unknown.", "Keystone's words quote the token")
		}
		assert.Equal(t, 1, f.timesAsked("unknown"))
		f.give("unknown", time.Hour)
		time.Sleep(10 * time.Second)
		_, err := v.Authenticate(t.Context(), "unknown", "")
		assert.NoError(t, err)
	})
}

func TestManyAtOnceAskOnce(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.give("tok", time.Hour)
		f.hold = make(chan struct{})
		v := newValidator(t, f)
		impatient, giveUp := context.WithCancel(t.Context())
		var wg sync.WaitGroup
		first := make(chan error, 1)
		wg.Go(func() {
			_, err := v.Authenticate(impatient, "tok", "")
			first <- err
		})
		synctest.Wait()
		for range 50 {
			wg.Go(func() {
				id, err := v.Authenticate(t.Context(), "tok", "")
				assert.NoError(t, err)
				assert.Equal(t, "u-tok", id.UserID)
			})
		}
		synctest.Wait()
		giveUp()
		assert.Equal(t, fault.Unavailable, fault.CodeOf(<-first), "who gives up does not take the others along")
		close(f.hold)
		wg.Wait()
		assert.Equal(t, 1, f.timesAsked("tok"))
		assert.Equal(t, 1, f.logins)
	})
}

func TestOutage(t *testing.T) {
	t.Parallel()
	for _, status := range []int{-1, 500, 503, 429, 403, 400} {
		t.Run(fmt.Sprint(status), func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				f := newFake()
				f.give("known", time.Hour)
				f.give("new", time.Hour)
				v := newValidator(t, f)
				_, err := v.Authenticate(t.Context(), "known", "")
				require.NoError(t, err)

				f.with(func() { f.fail, f.failTimes = status, -1 })
				_, err = v.Authenticate(t.Context(), "new", "")
				assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
				assert.NotContains(t, err.Error(), "about token", "what Keystone says may hold the token")
				_, err = v.Authenticate(t.Context(), "known", "")
				assert.NoError(t, err, "what is known keeps working")

				f.with(func() { f.failTimes = 0 })
				_, err = v.Authenticate(t.Context(), "new", "")
				assert.NoError(t, err, "an outage is not remembered")
			})
		})
	}
}

func TestOneFailureIsRiddenOut(t *testing.T) {
	t.Parallel()
	for _, status := range []int{-1, 502} {
		f := newFake()
		f.give("a", time.Hour)
		f.give("b", time.Hour)
		v := newValidator(t, f)
		_, err := v.Authenticate(t.Context(), "a", "")
		require.NoError(t, err)
		f.with(func() { f.fail, f.failTimes = status, 1 })
		_, err = v.Authenticate(t.Context(), "b", "")
		assert.NoError(t, err, status)
	}
}

func TestKeystoneHangs(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.give("tok", time.Hour)
		f.hold = make(chan struct{})
		start := time.Now()
		_, err := newValidator(t, f).Authenticate(t.Context(), "tok", "")
		assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
		assert.Equal(t, callTimeout, time.Since(start))
	})
}

func TestServiceUser(t *testing.T) {
	t.Parallel()
	f := newFake()
	f.give("a", time.Hour)
	f.give("b", time.Hour)
	v := newValidator(t, f)

	f.refuseLogin = true
	_, err := v.Authenticate(t.Context(), "a", "")
	assert.Equal(t, fault.Unavailable, fault.CodeOf(err), "that our password is wrong is not the user's fault")
	assert.NotContains(t, err.Error(), "very-secret")
	assert.Contains(t, err.Error(), "keystone refuses the service user cinder of project service: its password", "the log says what to look at")
	f.refuseLogin = false
	_, err = v.Authenticate(t.Context(), "a", "")
	require.NoError(t, err)

	logins := f.logins
	f.session++ // its token has ended
	_, err = v.Authenticate(t.Context(), "b", "")
	require.NoError(t, err)
	assert.Equal(t, logins+1, f.logins)

	f.session++
	_, err = v.Authenticate(t.Context(), "unknown", "")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err), "a 404 after logging in again")
	f.session++
	f.refuseLogin = true
	_, err = v.Authenticate(t.Context(), "unknown2", "")
	assert.Equal(t, fault.Unavailable, fault.CodeOf(err))
}

func TestServiceToken(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		f := newFake()
		f.give("user", time.Minute)
		f.give("nova", time.Hour, "service", "admin")
		f.give("other", time.Hour, "member")
		v := newValidator(t, f)
		strict := newValidator(t, f, func(c *Config) { c.ServiceTokenRolesRequired = true })

		id, err := v.Authenticate(t.Context(), "user", "nova")
		require.NoError(t, err)
		assert.Equal(t, []string{"service", "admin"}, id.ServiceRoles)
		assert.Equal(t, "u-nova", id.ServiceUserID)
		assert.Equal(t, "p1", id.ServiceProjectID)
		assert.False(t, id.IsAdmin)
		id, err = v.Authenticate(t.Context(), "user", "other")
		require.NoError(t, err)
		assert.False(t, id.IsServiceRequest())
		_, err = strict.Authenticate(t.Context(), "user", "other")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
		_, err = v.Authenticate(t.Context(), "user", "unknown")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))

		time.Sleep(10 * time.Minute) // the user's token expires while Nova works
		_, err = v.Authenticate(t.Context(), "user", "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
		_, err = v.Authenticate(t.Context(), "user", "other")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err), "only a service may vouch")
		id, err = v.Authenticate(t.Context(), "user", "nova")
		require.NoError(t, err)
		assert.Equal(t, "u-user", id.UserID)
		assert.Contains(t, f.lastQuery, "allow_expired")
		asked := f.timesAsked("user")
		_, err = v.Authenticate(t.Context(), "user", "nova")
		require.NoError(t, err)
		assert.Equal(t, asked, f.timesAsked("user"))
	})
}

func TestFormIsCheckedFirst(t *testing.T) {
	t.Parallel()
	f := newFake()
	v := newValidator(t, f)
	for _, bad := range []string{"", "a\r\nX-Admin: 1", "ü"} {
		_, err := v.Authenticate(t.Context(), bad, "")
		assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	}
	f.give("tok", time.Hour)
	_, err := v.Authenticate(t.Context(), "tok", "a b")
	assert.Equal(t, fault.Unauthorized, fault.CodeOf(err))
	assert.Zero(t, f.logins)
}

func TestCacheIsBounded(t *testing.T) {
	t.Parallel()
	f := newFake()
	v := newValidator(t, f, func(c *Config) { c.CacheSize = 8 })
	for i := range 50 {
		_, _ = v.Authenticate(t.Context(), fmt.Sprint("guess", i), "")
	}
	assert.Equal(t, 8, v.answers.Len())
}

func TestConfigCheck(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*Config){
		"auth_url":     func(c *Config) { c.AuthURL = "" },
		"http://":      func(c *Config) { c.AuthURL = "keystone:5000" },
		"username":     func(c *Config) { c.Username = "" },
		"password":     func(c *Config) { c.Password = "" },
		"project_name": func(c *Config) { c.ProjectName = "" },
		"jws_public":   func(c *Config) { c.JWSPublicKeys = "/nonexistent" },
		"cafile":       func(c *Config) { c.Transport, c.CAFile = nil, "/nonexistent" },
		"certificate":  func(c *Config) { c.Transport, c.CAFile = nil, "doc.go" },
	} {
		cfg := testConfig(newFake())
		spoil(&cfg)
		_, err := New(cfg)
		require.Error(t, err, name)
		assert.Equal(t, fault.Invalid, fault.CodeOf(err), name)
		assert.Contains(t, fault.MessageOf(err), name)
	}
}
