-- What Trino's functions do, said to DuckDB. A trino_ macro stands in for a call that DuckDB would answer otherwise;
-- auditkit/engines/duckdb_sql.py says which. The others are functions that DuckDB lacks.
-- An argument is evaluated as often as its macro names it, so each is named once where that can be done.

-- Time: whole units between two moments. DuckDB's date_diff counts the boundaries crossed.
CREATE MACRO trino_date_diff(unit, earlier, later) AS date_sub(unit, earlier, later);

-- Text: NULL where nothing is found. DuckDB gives an empty string.
CREATE MACRO trino_regexp_extract(txt, pattern, part := 0) AS
    CASE WHEN regexp_matches(txt, pattern) THEN regexp_extract(txt, pattern, part) END;
CREATE MACRO trino_split_part(txt, delimiter, place) AS list_extract(string_split(txt, delimiter), place);

-- Text: a group is $1 in Trino and \1 in DuckDB; \$ is the sign itself in Trino.
CREATE MACRO trino_regexp_replace(txt, pattern, replacement) AS
    regexp_replace(
        txt,
        pattern,
        replace(regexp_replace(replace(replacement, '\$', chr(1)), '\$(\d)', '\\\1', 'g'), chr(1), '$'),
        'g'
    );

-- Text: a start at 0, or before the first character, gives the empty string.
CREATE MACRO trino_substr(txt, place) AS
    CASE WHEN place = 0 OR place < -length(txt) THEN '' ELSE substring(txt, place) END,
    (txt, place, size) AS
    CASE WHEN place = 0 OR place < -length(txt) THEN '' ELSE substring(txt, place, size) END;

-- Text: a + in a URL is a space.
CREATE MACRO trino_url_decode(txt) AS url_decode(replace(txt, '+', ' '));

-- JSON: text that is no JSON gives NULL, and only a scalar is a scalar.
CREATE MACRO trino_json_extract(json, path) AS TRY(json_extract(json, path));
CREATE MACRO trino_json_extract_scalar(json, path) AS json_extract_string(TRY(json_value(json, path)), '$');
CREATE MACRO trino_json_array_length(json) AS
    CASE WHEN TRY(json_type(json)) = 'ARRAY' THEN CAST(json_array_length(json) AS BIGINT) END;
CREATE MACRO json_size(json, path) AS
    CASE TRY(json_type(json, path))
        WHEN 'ARRAY' THEN CAST(json_array_length(json, path) AS BIGINT)
        WHEN 'OBJECT' THEN len(json_keys(json, path))
        ELSE CASE WHEN TRY(json_type(json, path)) IS NOT NULL THEN 0 END
    END;

-- JSON: a scalar cast to text loses its quotes.
CREATE MACRO trino_varchar(item) AS
    CASE typeof(item)
        WHEN 'JSON' THEN trino_json_extract_scalar(TRY_CAST(item AS JSON), '$')
        ELSE CAST(item AS VARCHAR)
    END;

-- JSON: a list of texts is one of scalars only.
CREATE MACRO trino_varchars(json) AS
    CASE
        WHEN NOT list_contains(list_transform(TRY_CAST(json AS JSON[]), lambda item: json_type(item)), 'OBJECT')
            AND NOT list_contains(list_transform(TRY_CAST(json AS JSON[]), lambda item: json_type(item)), 'ARRAY')
        THEN list_transform(TRY_CAST(json AS JSON[]), lambda item: json_extract_string(item, '$'))
    END;

-- Text: a whole number is digits and a sign, with spaces around. DuckDB also takes 1.5, 0x1f and 1_000.
CREATE MACRO trino_digits(txt) AS CASE WHEN regexp_full_match(txt, '\s*[+-]?[0-9]+\s*') THEN txt END;

-- Lists: three-valued logic. NULL among the items leaves an answer open unless another item settles it.
CREATE MACRO trino_any(answers) AS list_reduce(answers, lambda sofar, answer: sofar OR answer, false);
CREATE MACRO trino_all(answers) AS list_reduce(answers, lambda sofar, answer: sofar AND answer, true);
CREATE MACRO trino_contains(list, item) AS
    CASE
        WHEN list_contains(list, item) THEN true
        WHEN item IS NOT NULL AND list_count(list) = len(list) THEN false
    END;
CREATE MACRO trino_array_position(list, item) AS
    CASE WHEN list IS NOT NULL AND item IS NOT NULL THEN coalesce(list_position(list, item), 0) END;

-- Lists: joined, a list of nothing but NULL is an empty text. DuckDB gives NULL, so there is always a first text.
CREATE MACRO trino_array_join(list, delimiter) AS
    substring(array_to_string([''] || CAST(list AS VARCHAR[]), delimiter), 1 + length(delimiter)),
    (list, delimiter, filler) AS
    array_to_string(list_transform(list, lambda item: coalesce(CAST(item AS VARCHAR), filler)), delimiter);

-- Lists: DuckDB drops NULL when it removes duplicates, counts a slice from begin to end, and repeats text, not items.
CREATE MACRO trino_array_distinct(list) AS
    CASE
        WHEN list_count(list) < len(list) THEN list_append(list_distinct(list), NULL)
        ELSE list_distinct(list)
    END;
CREATE MACRO trino_slice(list, place, size) AS
    list_slice(list, place, CASE WHEN place < 0 AND place + size > 0 THEN -1 ELSE place + size - 1 END);
CREATE MACRO trino_repeat(item, times) AS list_transform(range(times), lambda _: item);
CREATE MACRO array_union(one, other) AS trino_array_distinct(list_concat(one, other));

-- Lists: NULL among the items leaves the greatest, the smallest and a failed search for a common item open.
CREATE MACRO trino_array_max(list) AS CASE WHEN list_count(list) = len(list) THEN list_max(list) END;
CREATE MACRO trino_array_min(list) AS CASE WHEN list_count(list) = len(list) THEN list_min(list) END;
CREATE MACRO arrays_overlap(one, other) AS
    CASE
        WHEN list_has_any(one, other) THEN true
        WHEN list_count(one) = len(one) AND list_count(other) = len(other) THEN false
    END;

-- Addresses: an IPADDRESS is a 128-bit number, IPv4 mapped into IPv6 as Trino holds it; other text is NULL.
CREATE MACRO trino_ipv4(txt) AS
    CASE
        WHEN regexp_full_match(txt || '.', '((25[0-5]|2[0-4][0-9]|1[0-9][0-9]|[1-9]?[0-9])\.){4}')
        THEN CAST(281470681743360  -- ::ffff:0.0.0.0
            + CAST(split_part(txt, '.', 1) AS BIGINT) * 16777216
            + CAST(split_part(txt, '.', 2) AS BIGINT) * 65536
            + CAST(split_part(txt, '.', 3) AS BIGINT) * 256
            + CAST(split_part(txt, '.', 4) AS BIGINT) AS UHUGEINT)
    END;
CREATE MACRO trino_hex(groups) AS
    CASE WHEN groups = '' THEN ''
        ELSE array_to_string(list_transform(string_split(groups, ':'), lambda part: lpad(part, 4, '0')), '')
    END;
CREATE MACRO trino_hex_around(before, after) AS
    CASE
        WHEN length(before || after) <= 28  -- eight groups of four, of which :: is at least one
        THEN before || repeat('0', 32 - length(before || after)) || after
    END;
CREATE MACRO trino_ipv6(txt) AS
    CASE
        WHEN regexp_full_match(txt, '([0-9a-fA-F]{1,4}:){7}[0-9a-fA-F]{1,4}')
        THEN CAST('0x' || trino_hex(txt) AS UHUGEINT)
        WHEN regexp_full_match(txt, '([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?::([0-9a-fA-F]{1,4}(:[0-9a-fA-F]{1,4})*)?')
        THEN CAST('0x' || trino_hex_around(
            trino_hex(split_part(txt, '::', 1)), trino_hex(split_part(txt, '::', 2))
        ) AS UHUGEINT)
    END;
CREATE MACRO trino_ipaddress(txt) AS
    coalesce(trino_ipv4(txt), trino_ipv6(txt), trino_ipv4(regexp_extract(txt, '^::[fF]{4}:([0-9.]+)$', 1)));
CREATE MACRO trino_in_network(start, host_bits, address) AS
    CASE
        WHEN host_bits = 128 THEN address IS NOT NULL OR NULL  -- ::/0, which holds IPv4 too
        ELSE start >> host_bits = address >> host_bits
    END;
CREATE MACRO trino_contains_address(network, address) AS
    trino_in_network(
        trino_ipaddress(split_part(network, '/', 1)),
        CAST(CASE WHEN contains(network, ':') THEN 128 ELSE 32 END
            - CAST(split_part(network, '/', 2) AS INTEGER) AS UHUGEINT),
        address
    );
