// Package nodetest is a storage node in memory, for tests of what calls nodes:
// it keeps volumes, exports and fences as a real one does, and fails, delays
// and loses answers on demand. It must never be more forgiving than volumed.
package nodetest
