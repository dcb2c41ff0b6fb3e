package store

import (
	"cmp"
	"context"
	"maps"
	"slices"

	"tidings/internal/article"
	"tidings/internal/audience"
)

// topicsOf is how many articles, the newest, say which topics there are to choose from.
const topicsOf = 100

// TopicNames returns the topics of the newest published articles, in order; of many, those with most articles.
func (s Articles) TopicNames(ctx context.Context) ([]string, error) {
	list, err := s.List(ctx, article.StatusPublished, "", topicsOf)
	if err != nil {
		return nil, err
	}
	counts := map[string]int{}
	for _, card := range list.Items {
		for _, topic := range card.Topics {
			counts[topic]++
		}
	}
	names := slices.SortedFunc(maps.Keys(counts), func(a, b string) int {
		return cmp.Or(cmp.Compare(counts[b], counts[a]), cmp.Compare(a, b))
	})
	names = names[:min(len(names), audience.MaxTopics)] // not more than one may choose
	slices.Sort(names)
	return names, nil
}
