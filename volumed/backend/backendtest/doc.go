// Package backendtest is the one suite that every backend passes: it says in
// code what the comments of backend.Backend say in words.
//
// It works on real storage through the paths that Device gives, takes away all
// that it made, and never touches what it did not make.
package backendtest
