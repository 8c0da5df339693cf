// Package quota sends many requests at the same instant to the running API, and
// counts: exactly as many succeed as the quota allows, and what the quota set
// says is used is what is there.
package quota
