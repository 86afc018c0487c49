/* Libraries that are loaded when one of their functions is first called: part of the program only,
 * and only where CMake says so. Loading libcurl and what it needs, 35 libraries, takes 4 ms of CPU;
 * what needs no network (`top`, the child that analyses, a health check that finds no socket) does
 * without.
 *
 * Each function below is a stub under the library's own name, so that callers are compiled and
 * checked against the library's own headers. It jumps to where `binding.function` points. At first
 * that is nowhere: then the arguments, whatever they are, are put aside (System V ABI, AAPCS64) and
 * the function is looked up. Stubs are hidden, so that no library finds one in place of the real
 * function. */
#include "core/crash.h"

#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

struct binding {
    void *function; /* first: the stubs read it */
    const char *library, *name;
};

/* Called by the stubs only. A program that was built with a library and does not find it cannot go
 * on. */
__attribute__((used, visibility("hidden"))) void *on_demand_bind(struct binding *binding);

void *on_demand_bind(struct binding *binding)
{
    void *library = dlopen(binding->library, RTLD_NOW | RTLD_LOCAL);
    void *function = library ? dlsym(library, binding->name) : NULL;
    if (!function) {
        fprintf(stderr,
            "stakeout: %s: install the package that has %s, or put it where the loader looks\n",
            dlerror(), binding->library);
        exit(1);
    }
    crash_note_library();
    __atomic_store_n(
        &binding->function, function, __ATOMIC_RELEASE); /* two threads find the same */
    return function;
}

#if defined __x86_64__
#define STUB(name)                                                                                 \
    __asm__(".text\n"                                                                              \
            ".globl " #name "\n"                                                                   \
            ".hidden " #name "\n"                                                                  \
            ".type " #name ", @function\n" #name ":\n"                                             \
            "    endbr64\n"                                                                        \
            "    movq on_demand_" #name "(%rip), %r11\n"                                           \
            "    testq %r11, %r11\n"                                                               \
            "    jz 1f\n"                                                                          \
            "    jmp *%r11\n"                                                                      \
            "1:  leaq on_demand_" #name "(%rip), %r11\n"                                           \
            "    jmp on_demand_first_call\n"                                                       \
            ".size " #name ", . - " #name "\n")

/* rax counts the vector registers of a variadic call. */
__asm__(".text\n"
        ".type on_demand_first_call, @function\n"
        "on_demand_first_call:\n"
        "    .cfi_startproc\n"
        "    pushq %rbp\n"
        "    .cfi_def_cfa_offset 16\n"
        "    .cfi_offset 6, -16\n"
        "    movq %rsp, %rbp\n"
        "    .cfi_def_cfa_register 6\n"
        "    pushq %rdi\n"
        "    pushq %rsi\n"
        "    pushq %rdx\n"
        "    pushq %rcx\n"
        "    pushq %r8\n"
        "    pushq %r9\n"
        "    pushq %rax\n"
        "    subq $136, %rsp\n"
        "    movaps %xmm0, (%rsp)\n"
        "    movaps %xmm1, 16(%rsp)\n"
        "    movaps %xmm2, 32(%rsp)\n"
        "    movaps %xmm3, 48(%rsp)\n"
        "    movaps %xmm4, 64(%rsp)\n"
        "    movaps %xmm5, 80(%rsp)\n"
        "    movaps %xmm6, 96(%rsp)\n"
        "    movaps %xmm7, 112(%rsp)\n"
        "    movq %r11, %rdi\n"
        "    call on_demand_bind\n"
        "    movq %rax, %r11\n"
        "    movaps (%rsp), %xmm0\n"
        "    movaps 16(%rsp), %xmm1\n"
        "    movaps 32(%rsp), %xmm2\n"
        "    movaps 48(%rsp), %xmm3\n"
        "    movaps 64(%rsp), %xmm4\n"
        "    movaps 80(%rsp), %xmm5\n"
        "    movaps 96(%rsp), %xmm6\n"
        "    movaps 112(%rsp), %xmm7\n"
        "    addq $136, %rsp\n"
        "    popq %rax\n"
        "    popq %r9\n"
        "    popq %r8\n"
        "    popq %rcx\n"
        "    popq %rdx\n"
        "    popq %rsi\n"
        "    popq %rdi\n"
        "    popq %rbp\n"
        "    .cfi_def_cfa 7, 8\n"
        "    jmp *%r11\n"
        "    .cfi_endproc\n"
        ".size on_demand_first_call, . - on_demand_first_call\n");
#elif defined __aarch64__
#define STUB(name)                                                                                 \
    __asm__(".text\n"                                                                              \
            ".globl " #name "\n"                                                                   \
            ".hidden " #name "\n"                                                                  \
            ".type " #name ", %function\n" #name ":\n"                                             \
            "    hint #34\n" /* bti c */                                                           \
            "    adrp x17, on_demand_" #name "\n"                                                  \
            "    add x17, x17, :lo12:on_demand_" #name "\n"                                        \
            "    ldr x16, [x17]\n"                                                                 \
            "    cbz x16, 1f\n"                                                                    \
            "    br x16\n"                                                                         \
            "1:  b on_demand_first_call\n"                                                         \
            ".size " #name ", . - " #name "\n")

/* x8 is where a large result goes. */
__asm__(".text\n"
        ".type on_demand_first_call, %function\n"
        "on_demand_first_call:\n"
        "    .cfi_startproc\n"
        "    stp x29, x30, [sp, #-224]!\n"
        "    .cfi_def_cfa_offset 224\n"
        "    .cfi_offset 29, -224\n"
        "    .cfi_offset 30, -216\n"
        "    mov x29, sp\n"
        "    stp x0, x1, [sp, #16]\n"
        "    stp x2, x3, [sp, #32]\n"
        "    stp x4, x5, [sp, #48]\n"
        "    stp x6, x7, [sp, #64]\n"
        "    str x8, [sp, #80]\n"
        "    stp q0, q1, [sp, #96]\n"
        "    stp q2, q3, [sp, #128]\n"
        "    stp q4, q5, [sp, #160]\n"
        "    stp q6, q7, [sp, #192]\n"
        "    mov x0, x17\n"
        "    bl on_demand_bind\n"
        "    mov x16, x0\n"
        "    ldp q6, q7, [sp, #192]\n"
        "    ldp q4, q5, [sp, #160]\n"
        "    ldp q2, q3, [sp, #128]\n"
        "    ldp q0, q1, [sp, #96]\n"
        "    ldr x8, [sp, #80]\n"
        "    ldp x6, x7, [sp, #64]\n"
        "    ldp x4, x5, [sp, #48]\n"
        "    ldp x2, x3, [sp, #32]\n"
        "    ldp x0, x1, [sp, #16]\n"
        "    ldp x29, x30, [sp], #224\n"
        "    .cfi_def_cfa_offset 0\n"
        "    br x16\n"
        "    .cfi_endproc\n"
        ".size on_demand_first_call, . - on_demand_first_call\n");
#else
#error "no stubs for this processor: build with -DSTAKEOUT_ON_DEMAND=OFF"
#endif

#define ON_DEMAND(library, function)                                                               \
    __attribute__((used)) static struct binding on_demand_##function __asm__(                      \
        "on_demand_" #function) = {NULL, library, #function};                                      \
    STUB(function);

ON_DEMAND(STAKEOUT_LIBCURL, curl_easy_cleanup)
ON_DEMAND(STAKEOUT_LIBCURL, curl_easy_escape)
ON_DEMAND(STAKEOUT_LIBCURL, curl_easy_getinfo)
ON_DEMAND(STAKEOUT_LIBCURL, curl_easy_header)
ON_DEMAND(STAKEOUT_LIBCURL, curl_easy_init)
ON_DEMAND(STAKEOUT_LIBCURL, curl_easy_setopt)
ON_DEMAND(STAKEOUT_LIBCURL, curl_easy_strerror)
ON_DEMAND(STAKEOUT_LIBCURL, curl_free)
ON_DEMAND(STAKEOUT_LIBCURL, curl_getdate)
ON_DEMAND(STAKEOUT_LIBCURL, curl_global_init)
ON_DEMAND(STAKEOUT_LIBCURL, curl_multi_add_handle)
ON_DEMAND(STAKEOUT_LIBCURL, curl_multi_cleanup)
ON_DEMAND(STAKEOUT_LIBCURL, curl_multi_info_read)
ON_DEMAND(STAKEOUT_LIBCURL, curl_multi_init)
ON_DEMAND(STAKEOUT_LIBCURL, curl_multi_perform)
ON_DEMAND(STAKEOUT_LIBCURL, curl_multi_poll)
ON_DEMAND(STAKEOUT_LIBCURL, curl_multi_remove_handle)
ON_DEMAND(STAKEOUT_LIBCURL, curl_slist_append)
ON_DEMAND(STAKEOUT_LIBCURL, curl_slist_free_all)
ON_DEMAND(STAKEOUT_LIBCURL, curl_url)
ON_DEMAND(STAKEOUT_LIBCURL, curl_url_cleanup)
ON_DEMAND(STAKEOUT_LIBCURL, curl_url_get)
ON_DEMAND(STAKEOUT_LIBCURL, curl_url_set)

ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_add_response_header)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_create_response_from_buffer)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_create_response_from_buffer_with_free_callback)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_create_response_from_fd64)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_destroy_response)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_get_daemon_info)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_get_timeout)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_lookup_connection_value)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_queue_response)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_run)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_start_daemon)
ON_DEMAND(STAKEOUT_LIBMICROHTTPD, MHD_stop_daemon)

ON_DEMAND(STAKEOUT_LIBCRYPTO, CRYPTO_memcmp)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_Digest)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_DigestFinal_ex)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_DigestInit_ex)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_DigestUpdate)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_EncodeBlock)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_MD_CTX_free)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_MD_CTX_new)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_sha1)
ON_DEMAND(STAKEOUT_LIBCRYPTO, EVP_sha256)
ON_DEMAND(STAKEOUT_LIBCRYPTO, HMAC)
ON_DEMAND(STAKEOUT_LIBCRYPTO, OPENSSL_cleanse)
ON_DEMAND(STAKEOUT_LIBCRYPTO, RAND_bytes)

#ifdef STAKEOUT_WITH_LIBPQ
ON_DEMAND(STAKEOUT_LIBPQ, PQclear)
ON_DEMAND(STAKEOUT_LIBPQ, PQconnectPoll)
ON_DEMAND(STAKEOUT_LIBPQ, PQconnectStartParams)
ON_DEMAND(STAKEOUT_LIBPQ, PQconninfoFree)
ON_DEMAND(STAKEOUT_LIBPQ, PQconninfoParse)
ON_DEMAND(STAKEOUT_LIBPQ, PQconsumeInput)
ON_DEMAND(STAKEOUT_LIBPQ, PQdb)
ON_DEMAND(STAKEOUT_LIBPQ, PQerrorMessage)
ON_DEMAND(STAKEOUT_LIBPQ, PQfinish)
ON_DEMAND(STAKEOUT_LIBPQ, PQfreemem)
ON_DEMAND(STAKEOUT_LIBPQ, PQgetResult)
ON_DEMAND(STAKEOUT_LIBPQ, PQgetisnull)
ON_DEMAND(STAKEOUT_LIBPQ, PQgetvalue)
ON_DEMAND(STAKEOUT_LIBPQ, PQisBusy)
ON_DEMAND(STAKEOUT_LIBPQ, PQnfields)
ON_DEMAND(STAKEOUT_LIBPQ, PQntuples)
ON_DEMAND(STAKEOUT_LIBPQ, PQresultErrorField)
ON_DEMAND(STAKEOUT_LIBPQ, PQresultStatus)
ON_DEMAND(STAKEOUT_LIBPQ, PQsendQueryParams)
ON_DEMAND(STAKEOUT_LIBPQ, PQserverVersion)
ON_DEMAND(STAKEOUT_LIBPQ, PQsetErrorVerbosity)
ON_DEMAND(STAKEOUT_LIBPQ, PQsetNoticeProcessor)
ON_DEMAND(STAKEOUT_LIBPQ, PQsetSingleRowMode)
ON_DEMAND(STAKEOUT_LIBPQ, PQsocket)
ON_DEMAND(STAKEOUT_LIBPQ, PQstatus)
ON_DEMAND(STAKEOUT_LIBPQ, PQuser)
#endif
