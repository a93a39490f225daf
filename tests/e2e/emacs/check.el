;;; check.el --- Byte-compiles the package and checks its documentation  -*- lexical-binding: t; -*-

;;; Commentary:

;; emacs -Q --batch -l check.el FOLDER
;; What is compiled goes to a folder that is deleted.  Every warning counts.

;;; Code:

(require 'bytecomp)
(require 'checkdoc)

(let* ((folder (file-name-as-directory
                (expand-file-name (car command-line-args-left))))
       (scratch (make-temp-file "compiled-" t))
       (files (directory-files folder t "\\.el\\'"))
       (found nil)
       (byte-compile-dest-file-function
        (lambda (file)
          (expand-file-name (concat (file-name-nondirectory file) "c") scratch)))
       (byte-compile-log-warning-function
        (lambda (text &rest _)
          (push (format "%s: %s"
                        (file-name-nondirectory byte-compile-current-file) text)
                found)))
       (checkdoc-create-error-function
        (lambda (text start _end &optional _unfixable)
          (push (format "%s:%d: %s" (file-name-nondirectory (buffer-file-name))
                        (if start (line-number-at-pos start t) 1) text)
                found)
          nil)))
  (setq command-line-args-left nil
        ;; It takes nouns for verbs: "a number of runs".
        checkdoc-verb-check-experimental-flag nil)
  (add-to-list 'load-path folder)
  (dolist (file files)
    (unless (byte-compile-file file)
      (push (format "%s cannot be compiled" file) found))
    (with-current-buffer (find-file-noselect file)
      (checkdoc-current-buffer t)))
  (delete-directory scratch t)
  (setq found (delete-dups (nreverse found)))
  (dolist (one found)
    (princ (concat one "\n")))
  (princ (format "%d passed, %d failed\n" (length files) (length found)))
  (kill-emacs (if found 1 0)))

;;; check.el ends here
