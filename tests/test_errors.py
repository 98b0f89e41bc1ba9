"""The nearest right name for a wrong one."""

from recbole_finest.errors import nearest


def test_the_nearest_name_is_suggested():
    assert nearest("jacard", ["rbo", "jaccard"]) == "did you mean 'jaccard'?"
    assert nearest("JACARD", {"jaccard": "Jaccard", "rbo": "RBO"}) == "did you mean 'Jaccard'?"


def test_all_names_or_other_words_where_none_is_near():
    assert nearest("xyz", ["rbo", "jaccard"]) == "use one of rbo, jaccard"
    assert nearest("xyz", ["rbo"], "see --help") == "see --help"
    assert nearest("abcd", ["abxx"], "none", cutoff=0.6) == "none"
    assert nearest("abcd", ["abxx"], "none", cutoff=0.5) == "did you mean 'abxx'?"
