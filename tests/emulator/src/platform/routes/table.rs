//! The endpoints, family by family.

use super::{Handler, Route, at, open, route};
use crate::faults::CallPoint;
use crate::ledger::Scene;

pub(super) const ROUTES: &[Route] = &[
    Route {
        method: "POST",
        path: &["app", "getAppAccessToken"],
        point: CallPoint::Token,
        handler: Handler::Token,
    },
    at(
        CallPoint::Gateway,
        route("GET", &["gateway"], |it, _, _| it.gateway_plain()),
    ),
    at(
        CallPoint::Gateway,
        route("GET", &["gateway", "bot"], |it, _, app| it.gateway_bot(app)),
    ),
    route("GET", &["users", "@me"], |it, _, app| it.users_me(app)),
    route("GET", &["users", "@me", "guilds"], |it, call, app| {
        it.my_guilds(call, app)
    }),
    route("POST", &["users", "@me", "dms"], |it, call, app| {
        it.open_dm(call, app)
    }),
    at(
        CallPoint::Post,
        route(
            "POST",
            &["v2", "users", "*", "messages"],
            |it, call, app| it.post_message(call, app, Scene::C2c),
        ),
    ),
    route(
        "DELETE",
        &["v2", "users", "*", "messages", "*"],
        |it, call, app| it.recall(call, app, Scene::C2c),
    ),
    at(
        CallPoint::Upload,
        route("POST", &["v2", "users", "*", "files"], |it, call, app| {
            it.post_file(call, app, Scene::C2c)
        }),
    ),
    at(
        CallPoint::Upload,
        route(
            "POST",
            &["v2", "users", "*", "upload_prepare"],
            |it, call, app| it.upload_prepare(call, app, Scene::C2c),
        ),
    ),
    at(
        CallPoint::Upload,
        route(
            "POST",
            &["v2", "users", "*", "upload_part_finish"],
            |it, call, app| it.upload_part_finish(call, app, Scene::C2c),
        ),
    ),
    at(
        CallPoint::Post,
        route(
            "POST",
            &["v2", "groups", "*", "messages"],
            |it, call, app| it.post_message(call, app, Scene::Group),
        ),
    ),
    route(
        "DELETE",
        &["v2", "groups", "*", "messages", "*"],
        |it, call, app| it.recall(call, app, Scene::Group),
    ),
    at(
        CallPoint::Upload,
        route("POST", &["v2", "groups", "*", "files"], |it, call, app| {
            it.post_file(call, app, Scene::Group)
        }),
    ),
    at(
        CallPoint::Upload,
        route(
            "POST",
            &["v2", "groups", "*", "upload_prepare"],
            |it, call, app| it.upload_prepare(call, app, Scene::Group),
        ),
    ),
    at(
        CallPoint::Upload,
        route(
            "POST",
            &["v2", "groups", "*", "upload_part_finish"],
            |it, call, app| it.upload_part_finish(call, app, Scene::Group),
        ),
    ),
    at(
        CallPoint::Post,
        route(
            "POST",
            &["v2", "users", "*", "stream_messages"],
            |it, call, app| it.post_stream(call, app),
        ),
    ),
    route("GET", &["v2", "groups", "*", "info"], |it, call, app| {
        it.group_lookup(call, app)
    }),
    route(
        "GET",
        &["v2", "groups", "*", "bot_state"],
        |it, call, app| it.group_lookup(call, app),
    ),
    route("GET", &["v2", "groups", "*", "members"], |it, call, app| {
        it.group_lookup(call, app)
    }),
    route(
        "GET",
        &["v2", "groups", "*", "members", "*"],
        |it, call, app| it.group_lookup(call, app),
    ),
    at(
        CallPoint::Ack,
        route("PUT", &["interactions", "*"], |it, call, app| {
            it.acknowledge(call, app)
        }),
    ),
    at(
        CallPoint::Post,
        route("POST", &["channels", "*", "messages"], |it, call, app| {
            it.post_guild(call, app, Scene::Channel)
        }),
    ),
    at(
        CallPoint::Post,
        route("POST", &["dms", "*", "messages"], |it, call, app| {
            it.post_guild(call, app, Scene::Dm)
        }),
    ),
    route(
        "GET",
        &["channels", "*", "messages", "*"],
        |it, call, app| it.get_message(call, app),
    ),
    route(
        "PATCH",
        &["channels", "*", "messages", "*"],
        |it, call, app| it.edit_message(call, app),
    ),
    route(
        "DELETE",
        &["channels", "*", "messages", "*"],
        |it, call, app| it.recall(call, app, Scene::Channel),
    ),
    route("DELETE", &["dms", "*", "messages", "*"], |it, call, app| {
        it.recall(call, app, Scene::Dm)
    }),
    route(
        "PUT",
        &["channels", "*", "messages", "*", "reactions", "*", "*"],
        |it, call, app| it.react_as_bot(call, app, false),
    ),
    route(
        "DELETE",
        &["channels", "*", "messages", "*", "reactions", "*", "*"],
        |it, call, app| it.react_as_bot(call, app, true),
    ),
    route(
        "GET",
        &["channels", "*", "messages", "*", "reactions", "*", "*"],
        |it, call, app| it.reactions(call, app),
    ),
    route("GET", &["channels", "*"], |it, call, app| {
        it.channel_lookup(call, app)
    }),
    route("GET", &["guilds", "*"], |it, call, app| {
        it.guild_lookup(call, app)
    }),
    route("GET", &["guilds", "*", "channels"], |it, call, app| {
        it.guild_lookup(call, app)
    }),
    route("GET", &["guilds", "*", "members"], |it, call, app| {
        it.guild_lookup(call, app)
    }),
    route("GET", &["guilds", "*", "members", "*"], |it, call, app| {
        it.guild_lookup(call, app)
    }),
    route("GET", &["guilds", "*", "roles"], |it, call, app| {
        it.guild_lookup(call, app)
    }),
    route(
        "GET",
        &["guilds", "*", "message", "setting"],
        |it, call, app| it.guild_lookup(call, app),
    ),
    route(
        "GET",
        &["guilds", "*", "api_permission"],
        |it, call, app| it.guild_lookup(call, app),
    ),
    open("PUT", &["cos", "*", "*"], |it, call| it.put_part(call)),
    open("GET", &["download"], |it, call| it.download(call)),
];
