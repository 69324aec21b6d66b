//! The cases by what they are about, in one table with what each needs.

mod concurrency;
mod copy;
mod exec;
mod health;
mod lifecycle;
mod limit;
mod logs;
mod mount;
mod network;
mod process;
mod restart;
mod security;
mod wait;

use super::suite::Case;

/// Gives the table of all cases to a macro.
#[doc(hidden)]
#[macro_export]
macro_rules! conformance_cases {
    ($($callback:tt)+) => {
        $($callback)+! {
            lifecycle: {
                a_container_is_created_starts_and_ends,
                starting_twice_changes_nothing,
                an_ended_container_can_start_again,
                stopping_twice_is_no_error,
                removing_twice_is_no_error,
                names_are_unique,
                names_are_free_after_removal,
                a_running_container_is_removed_only_by_force,
                an_ended_container_cannot_be_killed,
                a_program_may_end_itself_when_stopped,
                a_stubborn_program_is_killed_after_the_grace,
                stopping_uses_the_containers_own_signal[Kernel],
                the_containers_own_grace_counts,
                a_container_can_remove_itself,
                what_does_not_exist_is_not_found,
                an_unknown_image_is_not_found,
                containers_are_found_by_name_and_id,
                containers_are_listed_by_label,
                inspecting_tells_what_was_specified,
                sandbox_names_are_unique,
                removing_a_sandbox_removes_its_containers,
                an_engine_goes_on_after_errors,
            }
            process: {
                exit_codes_are_kept,
                a_killed_program_ends_with_137,
                a_missing_command_is_an_error_and_127,
                what_cannot_be_run_is_an_error_and_126[Kernel],
                later_variables_win,
                programs_have_a_path[Kernel],
                a_working_directory_is_made[Kernel],
                users_are_numbers_or_names[Users],
                the_host_name_is_set[Kernel],
                the_host_name_is_the_short_id[Kernel],
                entrypoint_and_command_are_joined,
                a_terminal_is_given[Kernel],
                an_init_reaps_and_hands_signals_on[Kernel],
                processes_do_not_see_others[Kernel],
                standard_input_is_at_its_end,
            }
            wait: {
                waiting_before_the_start_waits_for_the_end,
                waiting_while_it_runs_waits_for_the_end,
                waiting_after_the_end_gives_the_same,
                many_wait_at_once,
            }
            logs: {
                both_streams_are_kept,
                the_tail_is_the_last_lines,
                times_limit_what_is_read,
                following_ends_with_the_container,
                following_shows_what_comes,
                control_characters_are_not_changed[Kernel],
                bytes_are_not_changed[Kernel, Bytes],
                long_lines_are_whole[Kernel],
                reading_stops_when_it_is_asked_to,
                no_log_is_an_error,
            }
            exec: {
                output_and_exit_code_come_back,
                a_container_that_does_not_run_is_a_conflict,
                variables_are_added,
                the_working_directory_is_the_containers,
                a_missing_command_is_an_error,
                input_is_copied_to_output,
                a_million_bytes_come_on_both_streams,
                a_signal_reaches_the_process,
                waiting_twice_gives_the_same,
                several_run_at_once,
                a_terminal_is_given[Kernel],
                users_are_numbers_or_names[Users],
                it_ends_with_its_container,
                programs_of_this_machine_share_the_network_alone[Kernel, Beside],
            }
            copy: {
                files_go_in_and_come_out,
                files_go_into_a_container_that_never_ran[CopyStopped],
                files_come_out_of_a_container_that_ended[CopyStopped],
                directories_and_modes_are_kept,
                owners_are_those_of_the_archive[Users],
                a_program_sees_what_was_copied,
                links_are_packed_as_links[Kernel],
                links_do_not_lead_out_of_the_container[Kernel],
                what_is_missing_is_not_found,
            }
            mount: {
                directories_of_the_machine_can_be_changed[Kernel, Binds],
                a_read_only_directory_cannot_be_changed[Kernel, Binds],
                a_missing_directory_is_an_error_or_made[Kernel, Binds],
                memory_is_mounted_with_its_size[Kernel],
                a_volume_outlives_its_container[Kernel],
                a_new_volume_has_what_the_image_has[Kernel],
                volumes_are_taken_from_another_container[Kernel],
            }
            network: {
                names_resolve_in_a_sandbox[Kernel, Names],
                aliases_resolve_in_a_sandbox[Kernel, Names],
                sandboxes_are_kept_apart[Kernel, Names],
                an_internal_network_joins_its_containers[Kernel, Names],
                no_network_is_only_the_container[Kernel],
                the_network_of_another_container_is_shared[Kernel],
                the_network_of_the_machine_is_shared[Kernel],
                a_sandbox_can_use_an_existing_network[Kernel, Names],
                published_ports_are_reachable[Kernel, Ports],
                a_port_is_published_once[Kernel, Ports],
                hosts_are_added[Kernel],
                status_tells_addresses[Kernel],
            }
            limit: {
                memory_is_limited_and_told[Kernel, Limits],
                processes_are_limited[Kernel, Limits],
                files_are_limited[Kernel],
                shared_memory_has_its_size[Kernel],
            }
            security: {
                the_root_can_be_read_only[Kernel],
                capabilities_are_dockers[Kernel],
                capabilities_can_be_dropped_and_added[Kernel],
                privileges_are_not_gained[Kernel],
                system_calls_are_filtered[Kernel],
                the_kernels_files_are_protected[Kernel],
                devices_are_few[Kernel],
                privileged_means_all[Kernel, Privileged],
                kernel_settings_are_the_containers[Kernel],
            }
            health: {
                a_container_becomes_healthy,
                a_container_becomes_unhealthy,
                health_can_be_left_out,
            }
            restart: {
                failures_are_tried_again,
                success_is_not_tried_again,
                stopping_ends_restarts,
            }
            concurrency: {
                twenty_start_at_once,
                one_of_many_gets_the_name,
                removals_do_not_disturb_each_other,
            }
        }
    };
}

/// The table as a list.
macro_rules! list {
    ($($module:ident: { $($case:ident $([$($need:ident),+])?,)* })*) => {
        /// All cases.
        pub(crate) fn all() -> Vec<Case> {
            vec![$($(
                Case {
                    name: concat!(stringify!($module), "::", stringify!($case)),
                    needs: &[$($(super::Need::$need),+)?],
                    check: $module::$case,
                },
            )*)*]
        }
    };
}

crate::conformance_cases!(list);
