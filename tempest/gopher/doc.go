// Package gopher is a Go programmer's view: gophercloud v2 against `clinker dev`,
// with what the openrc says and nothing else. It reads answers through
// gophercloud's types, so that a field of the wrong kind is found too.
package gopher
