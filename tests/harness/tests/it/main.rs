//! End-to-end tests: one binary, because each one links wasmtime; one module for each behaviour.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "tests"
)]

mod a_large_file_is_never_held_in_memory;
mod a_message_costs_what_it_did;
mod a_recording_runs_again;
mod a_trap_on_any_kind_of_event_is_survived;
mod an_instance_can_be_replaced_after_any_event;
mod another_build_takes_over_unnoticed;
mod any_event_passes_through_the_component;
mod common;
mod every_error_code_ends_as_the_table_says;
mod every_key_does_what_it_says;
mod every_scene_shows_what_it_can;
mod faults_do_not_stop_the_bot;
mod messages_are_answered_over_real_sockets;
mod native_and_wasm_answer_alike;
mod newer_messages_take_the_place_of_older_ones;
mod people_pair_and_strangers_learn_nothing;
mod questions_reach_the_person_who_asked;
mod readme;
mod secrets_never_reach_the_guest;
mod simulated_days_keep_the_invariants;
mod the_component_imports_nothing_it_need_not;
mod the_doctor_says_what_is_wrong;
mod the_readme_tells_the_truth;
mod time_grows_with_the_length_of_a_text;
mod wired;
