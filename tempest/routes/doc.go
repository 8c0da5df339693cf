// Package routes holds the table of routes against the contract's: what Cinder
// has, the product has, or a list here says why not.
//
// The contract's table is api/testdata/contract/routes.tsv, and the product's is
// what api.Routes declares and `clinker routes` prints.
package routes
