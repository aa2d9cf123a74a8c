/*
 * A PKCS #11 module that forwards every call to the one that SHIM_MODULE names. For tests only.
 *
 * SHIM_TOKEN_FLAGS  number that is or-ed into the flags of every token: a token whose PIN has one
 *                   try left, or none, without burning tries (SoftHSM never locks)
 * SHIM_NO_SIGN      if it is set, CKA_SIGN of every key is false (SoftHSM's tools make no such key)
 * SHIM_LOG          file to which the names of C_Login, C_SignInit and C_Sign are appended, one line a
 *                   call; never their arguments
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>

typedef unsigned long word;
typedef word (*function)(void);

/* CK_FUNCTION_LIST of version 2.40: a version, then 68 functions in the order of the standard. */
typedef struct {
    unsigned char version[2];
    function at[68];
} function_list;

enum { GET_FUNCTION_LIST = 3, GET_TOKEN_INFO = 6, LOGIN = 18, GET_ATTRIBUTE_VALUE = 24, SIGN_INIT = 42, SIGN = 43 };

/* CK_TOKEN_INFO: label 32, manufacturer 32, model 16, serial number 16, then the flags. */
enum { FLAGS_OFFSET = 96 };

/* CK_ATTRIBUTE. */
typedef struct {
    word type;
    unsigned char *value;
    word len;
} attribute;

enum { CKA_SIGN = 0x108 };

enum { CKR_OK = 0, CKR_GENERAL_ERROR = 5 };

static const function_list *real;
static function_list shim;

static void log_call(const char *name) {
    const char *path = getenv("SHIM_LOG");
    FILE *file = path ? fopen(path, "a") : NULL;
    if (file) {
        fprintf(file, "%s\n", name);
        fclose(file);
    }
}

static word get_token_info(word slot, unsigned char *info) {
    word result = ((word(*)(word, unsigned char *))real->at[GET_TOKEN_INFO])(slot, info);
    const char *flags = getenv("SHIM_TOKEN_FLAGS");
    if (result == CKR_OK && flags)
        *(word *)(info + FLAGS_OFFSET) |= strtoul(flags, NULL, 0);
    return result;
}

static word login(word session, word user, unsigned char *pin, word len) {
    log_call("C_Login");
    return ((word(*)(word, word, unsigned char *, word))real->at[LOGIN])(session, user, pin, len);
}

static word get_attribute_value(word session, word object, attribute *template, word count) {
    word result = ((word(*)(word, word, attribute *, word))real->at[GET_ATTRIBUTE_VALUE])(
        session, object, template, count);
    for (word i = 0; getenv("SHIM_NO_SIGN") && i < count; i++)
        if (template[i].type == CKA_SIGN && template[i].value && template[i].len == 1)
            template[i].value[0] = 0;
    return result;
}

static word sign_init(word session, void *mechanism, word key) {
    log_call("C_SignInit");
    return ((word(*)(word, void *, word))real->at[SIGN_INIT])(session, mechanism, key);
}

static word sign(word session, unsigned char *data, word len, unsigned char *out, word *out_len) {
    log_call("C_Sign");
    return ((word(*)(word, unsigned char *, word, unsigned char *, word *))real->at[SIGN])(
        session, data, len, out, out_len);
}

word C_GetFunctionList(const function_list **list) {
    const char *path = getenv("SHIM_MODULE");
    void *module = path ? dlopen(path, RTLD_NOW | RTLD_LOCAL) : NULL;
    word (*get)(const function_list **) =
        module ? (word(*)(const function_list **))dlsym(module, "C_GetFunctionList") : NULL;
    if (!get || get(&real) != CKR_OK)
        return CKR_GENERAL_ERROR;
    shim = *real;
    shim.at[GET_FUNCTION_LIST] = (function)C_GetFunctionList;
    shim.at[GET_TOKEN_INFO] = (function)get_token_info;
    shim.at[LOGIN] = (function)login;
    shim.at[GET_ATTRIBUTE_VALUE] = (function)get_attribute_value;
    shim.at[SIGN_INIT] = (function)sign_init;
    shim.at[SIGN] = (function)sign;
    *list = &shim;
    return CKR_OK;
}
