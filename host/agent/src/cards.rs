//! The forms of cards, one table: what a model is told, and what the echo agent shows.
//!
//! A place says by these words what it can show. A word that is not here is a form that a model
//! cannot be told of; a block of it is passed on all the same.

use prx_host::bindings::v0_1::SceneShows;

/// One form.
#[derive(Debug)]
pub(crate) struct Form {
    /// Its name, in `type` and in what a place can show.
    pub(crate) word: &'static str,
    /// How it is written.
    pub(crate) json: &'static str,
    /// One that can be sent.
    pub(crate) sample: &'static str,
}

/// All forms.
pub(crate) const FORMS: [Form; 7] = [
    Form {
        word: "buttons",
        json: r#"{"type":"buttons","text":"Deploy?","rows":[[{"label":"Yes","callback":"deploy yes","style":"primary"},{"label":"Docs","link":"https://..."},{"label":"Again","command":"/deploy"}]]}"#,
        sample: r#"{"type":"buttons","text":"Deploy?","rows":[[{"label":"Yes","callback":"deploy yes","style":"primary"},{"label":"No","callback":"deploy no"}],[{"label":"Docs","link":"https://example.com/docs"},{"label":"Again","command":"/buttons"}]]}"#,
    },
    Form {
        word: "list",
        json: r#"{"type":"list","title":"..","items":[{"text":"..","link":"https://.."}]}"#,
        sample: r#"{"type":"list","title":"Three things","items":[{"text":"The first"},{"text":"The second","link":"https://example.com/2"},{"text":"The third"}]}"#,
    },
    Form {
        word: "article",
        json: r#"{"type":"article","title":"..","text":"..","image":"https://..","link":"https://..","source":".."}"#,
        sample: r#"{"type":"article","title":"A title","text":"What it is about.","image":"https://example.com/article.png","link":"https://example.com/article","source":"Example"}"#,
    },
    Form {
        word: "picture",
        json: r#"{"type":"picture","title":"..","subtitle":"..","image":"https://..","link":"https://.."}"#,
        sample: r#"{"type":"picture","title":"A picture","subtitle":"With a line below","image":"https://example.com/picture.png","link":"https://example.com/picture"}"#,
    },
    Form {
        word: "embed",
        json: r#"{"type":"embed","title":"..","description":"..","thumbnail":"https://..","fields":["..",".."]}"#,
        sample: r#"{"type":"embed","title":"An embed","description":"With two fields","thumbnail":"https://example.com/thumbnail.png","fields":["one","two"]}"#,
    },
    Form {
        word: "reaction",
        json: r#"{"type":"reaction","emoji":"👍"}"#,
        sample: r#"{"type":"reaction","emoji":"👍"}"#,
    },
    Form {
        word: "recall",
        json: r#"{"type":"recall"}"#,
        sample: r#"{"type":"recall"}"#,
    },
];

/// The forms that a place can show.
pub(crate) fn shown(shows: &SceneShows) -> impl Iterator<Item = &'static Form> {
    FORMS.iter().filter(|form| {
        let named = shows.cards.iter().any(|word| word == form.word);
        named || (shows.buttons && form.word == "buttons")
    })
}

/// The sample of a form.
pub(crate) fn sample(word: &str) -> Option<&'static str> {
    let form = FORMS.iter().find(|form| form.word == word);
    form.map(|form| form.sample)
}

/// A card as an answer holds it.
pub(crate) fn block(json: &str) -> String {
    format!("```{}\n{json}\n```", crate::marks::CARD)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_is_json_of_its_own_type() {
        for form in &FORMS {
            for json in [form.json, form.sample] {
                let value: serde_json::Value = serde_json::from_str(json).unwrap();
                assert_eq!(value["type"], form.word);
            }
        }
    }
}
