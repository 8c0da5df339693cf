package db

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync/atomic"
	"testing"
	"testing/synctest"
	"time"
)

// slowly answers after a second, with the time at which it was asked.
func slowly(statements *atomic.Int32) func(context.Context, []string) ([]string, error) {
	return func(ctx context.Context, ids []string) ([]string, error) {
		statements.Add(1)
		at := time.Now().Format("05")
		time.Sleep(time.Second)
		var rows []string
		for _, id := range ids {
			rows = append(rows, id+"@"+at)
		}
		return rows, ctx.Err()
	}
}

func TestWhoAsksMeanwhileSharesTheNextStatement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var statements atomic.Int32
		r := together[string]{read: slowly(&statements)}
		const asking = readsAtOnce + askedAtOnce - 1
		for i := range asking {
			go func() {
				id := fmt.Sprint(i)
				rows, err := r.ask(t.Context(), id)
				if err != nil || !slices.ContainsFunc(rows, func(row string) bool { return row[:len(row)-3] == id }) {
					t.Errorf("%s: %v, %v", id, rows, err)
				}
			}()
			synctest.Wait()
		}
		time.Sleep(3 * time.Second)
		if n := statements.Load(); n != readsAtOnce+1 {
			t.Errorf("%d statements for %d", n, asking)
		}
	})
}

func TestAnAnswerIsNeverOlderThanItsQuestion(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var statements atomic.Int32
		r := together[string]{read: slowly(&statements)}
		for i := range 40 {
			go func() {
				time.Sleep(time.Duration(i%5) * 300 * time.Millisecond)
				asked := time.Now().Format("05")
				rows, err := r.ask(t.Context(), fmt.Sprint(i))
				if err != nil || rows[0][len(rows[0])-2:] < asked {
					t.Errorf("asked at %s: %v, %v", asked, rows, err)
				}
			}()
		}
		time.Sleep(20 * time.Second)
	})
}

func TestWhoLeavesEndsNobodysStatement(t *testing.T) {
	t.Parallel()
	synctest.Test(t, func(t *testing.T) {
		var statements atomic.Int32
		r := together[string]{read: slowly(&statements)}
		for range readsAtOnce {
			go r.ask(t.Context(), "busy")
		}
		synctest.Wait()
		leaving, leave := context.WithCancel(t.Context())
		go func() {
			if _, err := r.ask(leaving, "left"); !errors.Is(err, context.Canceled) {
				t.Errorf("who left got %v", err)
			}
		}()
		synctest.Wait()
		go func() {
			if rows, err := r.ask(t.Context(), "stays"); err != nil || len(rows) != 2 {
				t.Errorf("who stayed got %v, %v", rows, err)
			}
		}()
		synctest.Wait()
		leave()
		time.Sleep(3 * time.Second)
	})
}
