package policy

import (
	"strings"
	"unicode"
	"unicode/utf8"
)

// kind of a token.
type kind uint8

const (
	tokenEnd kind = iota
	tokenOpen
	tokenClose
	tokenAnd
	tokenOr
	tokenNot
	tokenCheck
)

// token is one word of a check.
type token struct {
	kind kind
	text string
	at   int // in characters from 1
}

// tokenize splits a check as oslo.policy does: at white space, then
// parentheses off the beginning and the end of each word. Those inside a word,
// as in %(project_id)s, belong to it.
func tokenize(s string) []token {
	var tokens []token
	for start := 0; start < len(s); {
		r, size := utf8.DecodeRuneInString(s[start:])
		if unicode.IsSpace(r) {
			start += size
			continue
		}
		end := start + len(s[start:])
		if i := strings.IndexFunc(s[start:], unicode.IsSpace); i >= 0 {
			end = start + i
		}
		tokens = appendWord(tokens, s[start:end], utf8.RuneCountInString(s[:start])+1)
		start = end
	}
	return append(tokens, token{tokenEnd, "", utf8.RuneCountInString(s) + 1})
}

func appendWord(tokens []token, word string, at int) []token {
	for strings.HasPrefix(word, "(") {
		tokens = append(tokens, token{tokenOpen, "(", at})
		word, at = word[1:], at+1
	}
	core := strings.TrimRight(word, ")")
	if core != "" {
		tokens = append(tokens, token{kindOf(core), core, at})
		at += utf8.RuneCountInString(core)
	}
	for range len(word) - len(core) {
		tokens = append(tokens, token{tokenClose, ")", at})
		at++
	}
	return tokens
}

func kindOf(word string) kind {
	switch strings.ToLower(word) {
	case "and":
		return tokenAnd
	case "or":
		return tokenOr
	case "not":
		return tokenNot
	}
	return tokenCheck
}
