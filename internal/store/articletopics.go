package store

import (
	"context"
	"slices"

	"tidings/internal/article"
	"tidings/internal/table"
)

// A topic's articles are listed without a scan or a filter: each published article has, beside its own item, one at
// ART#<slug>/T#<topic> in the List index's partition of the topic, with the article's card. They are written in the
// transaction that writes the article.

// topicList is the partition of the List index that holds a topic's articles.
func topicList(topic string) string { return "TOPIC#" + topic }

func topicKey(slug, topic string) table.Key {
	return table.Key{PK: articleKey(slug).PK, SK: "T#" + topic}
}

// topicOps returns the operations that turn the topics' items of an article as it was into those of the article as it is; item
// is the latter's own. An article that is not there is the zero one.
func topicOps(was, is article.Article, item table.Item) []table.Op {
	var ops []table.Op
	for _, topic := range listedTopics(is) {
		key := topicKey(is.Slug, topic)
		ops = append(ops, table.Put(table.Item{
			table.PK: key.PK, table.SK: key.SK, "lpk": topicList(topic), "lsk": item["lsk"], table.Card: item[table.Card],
		}))
	}
	for _, topic := range listedTopics(was) {
		if !slices.Contains(listedTopics(is), topic) {
			ops = append(ops, table.Delete(topicKey(was.Slug, topic)))
		}
	}
	return ops
}

// listedTopics are the topics under which visitors find an article: none for a draft.
func listedTopics(a article.Article) []string {
	if a.Status != article.StatusPublished {
		return nil
	}
	return a.Topics
}

// Topic returns a page of at most limit published articles (1 to 100) of a topic, newest first. Of a topic that no article has
// it is empty. A cursor that no page of the topic gave out is a fault.Invalid.
func (s Articles) Topic(ctx context.Context, topic, cursor string, limit int) (article.List, error) {
	if !article.ValidTopic(topic) {
		return article.List{Items: []article.Card{}}, nil
	}
	return s.page(ctx, topicList(topic), cursor, limit)
}
