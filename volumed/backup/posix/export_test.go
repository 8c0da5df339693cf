package posix

import "time"

// Later has the driver look again at what crashes left.
func (d *Driver) Later() {
	d.mu.Lock()
	defer d.mu.Unlock()
	d.swept = d.swept.Add(-2 * time.Hour)
}
