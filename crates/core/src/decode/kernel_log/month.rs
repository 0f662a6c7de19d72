//! The names of months, as dates before log lines have them.

/// How the months begin in the languages people run servers in.
const MONTHS: [&[&str]; 12] = [
    &["jan", "janv", "ene", "gen", "янв", "sty", "led", "oca"],
    &["feb", "fév", "fev", "фев", "lut", "úno", "şub", "fév"],
    &["mar", "mär", "mrz", "mrt", "мар", "bře", "már"],
    &["apr", "avr", "abr", "апр", "kwi", "dub", "nis", "ápr"],
    &["may", "mai", "mag", "maj", "mei", "май", "мая", "kvě"],
    &["jun", "juin", "giu", "июн", "cze", "čvn", "haz", "jún"],
    &["jul", "juil", "lug", "июл", "lip", "čvc", "tem", "júl"],
    &["aug", "aoû", "ago", "авг", "sie", "srp", "ağu"],
    &["sep", "set", "сен", "wrz", "zář", "eyl", "szept"],
    &["oct", "okt", "ott", "out", "окт", "paź", "říj", "eki"],
    &["nov", "ноя", "lis", "kas"],
    &["dec", "déc", "dez", "dic", "des", "дек", "gru", "pro", "ara"],
];

/// `Jan` to `Dec`.
pub(super) fn english_month(name: &[u8]) -> Option<i8> {
    const ENGLISH: &[u8; 36] = b"janfebmaraprmayjunjulaugsepoctnovdec";
    let [one, two, three] = name else { return None };
    let lower = [one | 0x20, two | 0x20, three | 0x20];
    let month = ENGLISH.chunks_exact(3).position(|name| name == lower)?;
    i8::try_from(month + 1).ok()
}

/// The number of a month from its name in any of those languages, or from `9月`, `9월`.
pub(super) fn month_named(word: &str) -> Option<i8> {
    let numbered = word.strip_suffix('月').or_else(|| word.strip_suffix('월'));
    if let Some(number) = numbered {
        return number.parse().ok().filter(|month| (1..=12).contains(month));
    }
    let bytes = word.as_bytes();
    if bytes.len() < 3 || bytes.len() > 20 {
        return None;
    }
    if let Some(month) = english_month(bytes) {
        return Some(month);
    }
    if !word.chars().all(char::is_alphabetic) {
        return None;
    }
    let word = word.to_lowercase();
    let month = MONTHS.iter().position(|names| names.iter().any(|name| word.starts_with(name)))?;
    i8::try_from(month + 1).ok()
}
