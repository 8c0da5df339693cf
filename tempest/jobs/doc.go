// Package jobs copies volumes slowly with separate processes, kills these in the
// middle, and looks at the copies, cancels them and begins them anew with
// `clinker job`.
package jobs
