package main

import (
	"container/heap"
)

// A happening is planned for a time.
type happening struct {
	at float64
	do func()
}

type agenda []happening

func (a agenda) Len() int           { return len(a) }
func (a agenda) Less(i, j int) bool { return a[i].at < a[j].at }
func (a agenda) Swap(i, j int)      { a[i], a[j] = a[j], a[i] }
func (a *agenda) Push(x any)        { *a = append(*a, x.(happening)) }
func (a *agenda) Pop() any {
	last := (*a)[len(*a)-1]
	*a = (*a)[:len(*a)-1]
	return last
}

// after plans something for in so many seconds.
func (m *model) after(in float64, do func()) {
	heap.Push(&m.agenda, happening{m.now + in, do})
}
